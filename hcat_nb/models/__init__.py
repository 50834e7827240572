"""Models that are trained, one module each."""
