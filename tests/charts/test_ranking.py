"""How ranks are distributed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import gaussian_kde

from hcat_nb.charts.ranking import rank_distribution, rank_violins
from hcat_nb.errors import DataError


@pytest.fixture
def ranks() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(rng.random((40, 3)), columns=["aum", "vog", "mine"]).rank(axis=1)


def test_the_best_stands_first_with_its_mean(ranks, rows_of) -> None:
    spec = rank_distribution(ranks).to_dict()
    means = rows_of(spec, 2)
    expected = ranks.mean().sort_values()
    assert means["method"].tolist() == expected.index.tolist()
    np.testing.assert_allclose(means["rank"], expected, atol=5e-4)
    assert set(means["family"]) == {"learning: output", "learning: gradient", "own"}


def test_every_rank_is_a_dot_and_equal_ones_lie_apart(ranks, rows_of) -> None:
    dots = rows_of(rank_distribution(ranks).to_dict(), 1)
    assert len(dots) == 120
    assert not dots.duplicated(["rank", "place"]).any()
    assert (dots["place"] - dots["place"].round()).abs().max() < 0.5


def test_many_ranks_are_thinned(rows_of) -> None:
    many = pd.DataFrame(np.random.default_rng(0).random((9000, 2))).rank(axis=1)
    assert len(rows_of(rank_distribution(many).to_dict(), 1)) == 4000


def test_a_violin_is_the_density_by_scotts_rule() -> None:
    values = pd.Series(np.random.default_rng(1).normal(6, 3, 200))
    at, wide = rank_violins(values)
    known = gaussian_kde(values, "scott")(at)
    np.testing.assert_allclose(wide, known / known.max(), rtol=1e-9)
    assert at[0] == pytest.approx(values.min() - 0.5)
    at, wide = rank_violins(pd.Series([np.nan]))
    assert len(at) == len(wide) == 0


def test_mistakes_are_told(ranks) -> None:
    with pytest.raises(DataError, match="two columns of ranks are called 'aum'"):
        rank_distribution(ranks.set_axis(["aum", "vog", "aum"], axis=1))
