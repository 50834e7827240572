"""Streams below a seed."""

from __future__ import annotations

from hcat_nb.seeds import child_seed


def test_streams_and_seeds_differ():
    seeds = {child_seed(seed, name) for seed in range(50) for name in ("order", "flags", "masks")}
    assert len(seeds) == 150
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_the_derivation_never_changes():
    # A frozen value: a change here would silently change every stored run.
    assert child_seed(0, "order") == 1152760118607444429
