"""Dynamics that a run kept, or that come from elsewhere."""
