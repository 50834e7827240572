"""A run: from a specification to scores on disk."""
