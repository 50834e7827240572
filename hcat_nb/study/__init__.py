"""The re-creation of H-CAT's study: its hypotheses, tables of many runs, and the detector."""
