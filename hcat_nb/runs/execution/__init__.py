"""Carries a run out: load, perturb, train and observe, score."""
