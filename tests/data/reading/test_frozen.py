"""Global random streams, seeded for a row and put back."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from hcat_nb.data.reading.frozen import drawn_for


def draws() -> tuple[float, float, float]:
    return random.random(), np.random.random(), torch.rand(()).item()  # noqa: NPY002


def test_a_rows_draws_depend_on_row_and_seed_only() -> None:
    with drawn_for(5, seed=1):
        first = draws()
    draws()
    for row, seed in ((5, 1), (6, 1), (5, 2)):
        with drawn_for(row, seed):
            again = draws()
        same = [one == other for one, other in zip(first, again, strict=True)]
        assert same == [(row, seed) == (5, 1)] * 3


def test_the_streams_go_on_as_if_nothing_had_happened() -> None:
    with drawn_for(0, 0):
        expected_next = (draws(), draws())[1]
    with drawn_for(0, 0):
        draws()
        with pytest.raises(KeyError), drawn_for(1, 1):
            {}[draws()]
        assert draws() == expected_next
