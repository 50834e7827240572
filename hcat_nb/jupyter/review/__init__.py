"""Views for looking at the samples of a run, deciding about them, and comparing runs."""
