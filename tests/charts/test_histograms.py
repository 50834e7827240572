"""Histograms: every scored sample is in one bin of its method."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hcat_nb.charts.histograms import bin_counts, histograms, histograms_chart
from hcat_nb.charts.theme import TRUTH
from hcat_nb.errors import DataError, SpecError


@pytest.fixture
def scores() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.gamma(2.0, size=(500, 2)), columns=["aum", "vog"])
    table.iloc[:7, 0] = np.nan
    return table.astype(np.float32)


def test_counts_are_numpys(scores: pd.DataFrame, rows_of) -> None:
    rows = rows_of(histograms(scores, bins=12).to_dict())
    for name in scores:
        values = scores[name].dropna().to_numpy(np.float64)
        counts, edges = np.histogram(values, 12)
        of = rows[rows["hcm"] == name]
        assert of["n"].tolist() == counts[counts > 0].tolist()
        # six digits of an edge are kept
        np.testing.assert_allclose(of["low"], edges[:-1][counts > 0], rtol=1e-5)
        np.testing.assert_allclose(of["high"], edges[1:][counts > 0], rtol=1e-5)


def test_the_truth_parts_the_bars(scores: pd.DataFrame, rows_of) -> None:
    is_hard = np.arange(500) % 10 == 0
    spec = histograms(scores, is_hard=is_hard).to_dict()
    sums = rows_of(spec).groupby(["hcm", "mark"])["n"].sum()
    assert sums["vog", "made hard"] == 50
    assert sums["vog", "untouched"] == 450
    assert sums["aum"].sum() == 493
    color = spec["concat"][0]["encoding"]["color"]
    assert color["scale"]["domain"] == list(TRUTH)
    subtitles = [plot["title"]["subtitle"] for plot in spec["concat"]]
    assert subtitles == ["7 without a score", "0 without a score"]


def test_a_method_without_a_threshold_flags_nobody(scores: pd.DataFrame, rows_of) -> None:
    flagged = pd.DataFrame({"aum": scores["aum"] > 3})
    sums = rows_of(histograms(scores, flagged=flagged).to_dict()).groupby(["hcm", "mark"])["n"]
    assert sums.sum()["aum", "flagged"] == int(flagged["aum"].sum()) > 0
    assert ("vog", "flagged") not in sums.sum()


def test_equal_scores_share_one_bin_and_infinite_ones_have_none() -> None:
    counts = bin_counts(np.array([2.0, 2.0, np.inf, np.nan]), np.zeros(4, np.int64), ["a"], 5)
    assert counts["n"] == [2]
    assert counts["low"][0] <= 2 <= counts["high"][0]


def test_a_live_view_fills_named_data() -> None:
    spec = histograms_chart(["aum", "vog"], TRUTH, title="t", caption="c").to_dict()
    assert spec["data"] == {"name": "histograms"}
    filters = [plot["transform"][0]["filter"] for plot in spec["concat"]]
    assert filters == [{"field": "hcm", "equal": name} for name in ("aum", "vog")]


def test_mistakes_are_told(scores: pd.DataFrame) -> None:
    with pytest.raises(SpecError, match="bins is 0"):
        histograms(scores, bins=0)
    with pytest.raises(SpecError, match="columns is 0"):
        histograms(scores, columns=0)
    with pytest.raises(SpecError, match="both given"):
        histograms(scores, is_hard=np.zeros(500, bool), flagged=scores > 1)
    with pytest.raises(DataError, match="not of 500 samples"):
        histograms(scores, is_hard=np.zeros(3, bool))
