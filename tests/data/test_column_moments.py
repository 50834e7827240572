"""Moments of large tables, block by block, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hcat_nb.data import column_moments as module
from hcat_nb.data.column_moments import column_moments, root_mean_square

RNG = np.random.default_rng(0)
# means far from 0: where sums of squares would cancel
TABLE = (RNG.normal(size=(1000, 6)) * [1, 2, 0.1, 5, 1, 0] + [0, 1e4, 0, -3, 1, 7]).astype("f4")
ROWS = RNG.random(1000) < 0.7


@pytest.fixture(params=["whole", "blocks"])
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "blocks":
        monkeypatch.setattr(module, "_VALUES", 500)
        monkeypatch.setattr(module, "_BLOCK", 130)


@pytest.mark.usefixtures("_way")
def test_moments_are_those_of_the_rows_that_count() -> None:
    spread, mean = column_moments(torch.from_numpy(TABLE), torch.from_numpy(ROWS))
    exact = TABLE[ROWS].astype(np.float64)
    # float64 sums of a thousand numbers: some 1e-13 of their size
    np.testing.assert_allclose(mean.numpy(), exact.mean(0), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(spread.numpy(), exact.std(0), rtol=1e-10, atol=1e-12)


@pytest.mark.usefixtures("_way")
def test_the_root_mean_square_is_that_of_all_values() -> None:
    found = root_mean_square(torch.from_numpy(TABLE), torch.from_numpy(ROWS))
    exact = TABLE[ROWS].astype(np.float64)
    np.testing.assert_allclose(found.item(), np.sqrt((exact**2).mean()), rtol=1e-12)
