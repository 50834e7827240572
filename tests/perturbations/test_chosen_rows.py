"""Exactly the stated share of rows is drawn, or it is said which shares there are."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hcat_nb.data.loading import load
from hcat_nb.errors import DataError, SpecError
from hcat_nb.perturbations._chosen_rows import chosen_rows

DATA = load(np.arange(40.0).reshape(20, 2), ["a", "b"] * 10)
ALL = torch.ones(20, dtype=torch.bool)


def draw(p: float, candidates: torch.Tensor = ALL, seed: int = 0) -> torch.Tensor:
    return chosen_rows("uniform", DATA, p, np.random.default_rng(seed), candidates)


@pytest.mark.parametrize(("p", "count"), [(0.1, 2), (0.124, 2), (0.125, 3), (0.5, 10)])
def test_the_share_is_rounded_to_rows(p: float, count: int) -> None:
    rows = draw(p)
    assert len(rows) == count == len(rows.unique())
    assert torch.equal(rows, rows.sort().values)
    assert torch.equal(rows, draw(p))


def test_only_candidates_are_drawn() -> None:
    odd = torch.arange(20) % 2 == 1
    assert (draw(0.4, odd) % 2 == 1).all()
    with pytest.raises(SpecError, match=r"11 samples of 20, more than 'uniform' can change"):
        draw(0.55, odd)
    with pytest.raises(DataError, match="can change no sample"):
        draw(0.1, torch.zeros(20, dtype=torch.bool))


@pytest.mark.parametrize("p", [0.01, 1.0])
def test_none_and_all_are_refused_with_the_shares_that_there_are(p: float) -> None:
    with pytest.raises(SpecError, match=r"p from 0\.025 \(1 sample\)"):
        draw(p)
