"""A run's record and its folder: tables, checkpoints, locks, digests."""
