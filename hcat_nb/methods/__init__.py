"""Hardness characterization methods, one module each."""
