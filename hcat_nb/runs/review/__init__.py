"""Looking at samples, deciding about them, and applying what was decided."""
