"""Reproducible blocks."""

from __future__ import annotations

import random

import numpy as np
import torch

from hcat_nb.training.seed import isolated_rng


def draw() -> tuple[float, float, float]:
    return torch.rand(1).item(), np.random.rand(), random.random()  # noqa: NPY002


def test_the_same_seed_gives_the_same_draws():
    with isolated_rng(3):
        first = draw()
    with isolated_rng(3):
        assert draw() == first
    with isolated_rng(4):
        assert draw() != first


def test_the_state_outside_is_untouched_also_after_an_error():
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002
    random.seed(0)
    expected = draw()
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002
    random.seed(0)
    try:
        with isolated_rng(3):
            draw()
            raise KeyError
    except KeyError:
        pass
    assert draw() == expected
