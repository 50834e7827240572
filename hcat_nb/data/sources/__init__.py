"""Named datasets, one module each."""
