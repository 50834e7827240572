"""Kinds of hardness that are injected, one module each."""
