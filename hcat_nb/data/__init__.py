"""Datasets: the immutable labelled dataset, and the ways into it."""
