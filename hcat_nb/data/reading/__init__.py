"""The ways of a user's objects into a dataset: frames, arrays, datasets, labels and ids."""
