"""Runs of models that somebody else trains."""
