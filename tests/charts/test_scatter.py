"""Two scores against each other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata

from hcat_nb.charts.layers import HARDEST
from hcat_nb.charts.scatter import scatter
from hcat_nb.errors import DataError, SpecError, UnknownNameError


def _frame(n: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    a = rng.gamma(1.0, size=n)
    columns = {"aum": a, "vog": a + rng.normal(size=n), "is_hard": rng.random(n) < 0.1}
    return pd.DataFrame(
        {**columns, "label": "<b>oak</b>"}, index=pd.Index([f"s{i}" for i in range(n)])
    )


def test_each_sample_is_at_its_scores(rows_of) -> None:
    frame = _frame(200)
    rows = rows_of(scatter(frame, "aum", "vog", color="is_hard").to_dict(), 1).set_index("id")
    rows = rows.loc[frame.index]
    np.testing.assert_allclose(rows["x"], frame["aum"], rtol=6e-4)  # four digits
    np.testing.assert_allclose(rows["y"], frame["vog"], rtol=6e-4)
    assert (rows["color"] == "made hard").tolist() == frame["is_hard"].tolist()
    assert set(rows["label"]) == {"<b>oak</b>"}


def test_ranks_are_shares_of_easier_samples_with_ties_at_their_mean(rows_of) -> None:
    frame = _frame(50).round(0)
    rows = rows_of(scatter(frame, "aum", "vog", scale="rank").to_dict(), 1).set_index("id")
    expected = (rankdata(frame["aum"]) - 1) / 49
    np.testing.assert_allclose(rows.loc[frame.index, "x"], expected, atol=6e-5)


@pytest.mark.parametrize("scale", ["score", "rank"])
def test_of_many_those_that_disagree_are_points_and_no_one_is_lost(scale, rows_of) -> None:
    frame = _frame(30_000)
    spec = scatter(frame, "aum", "vog", scale=scale).to_dict()
    points, cells = rows_of(spec, 1), rows_of(spec, 0)
    assert len(points) == HARDEST
    assert cells["n"].sum() == 30_000 - HARDEST
    away = (frame["aum"].rank() - frame["vog"].rank()).abs()
    # Which of those that tie at the cut are drawn is left open.
    assert sorted(away[points["id"]]) == sorted(away.nlargest(HARDEST))
    assert (
        "density, and the 5,000 of least agreement in rank as points" in spec["title"]["subtitle"]
    )


def test_samples_without_both_scores_are_counted(rows_of) -> None:
    frame = _frame(20)
    frame.loc["s0", "aum"], frame.loc["s1", "vog"] = np.nan, np.nan
    spec = scatter(frame, "aum", "vog").to_dict()
    assert len(rows_of(spec, 1)) == 18
    assert "20 samples, 2 of them without coordinates" in spec["title"]["subtitle"]


def test_missing_categories_are_grey_and_still_there(rows_of) -> None:
    frame = _frame(100)
    frame["suggested"] = pd.Categorical(np.where(np.arange(100) < 30, None, "elm"))
    frame["label"] = frame["suggested"]
    spec = scatter(frame, "aum", "vog", color="suggested").to_dict()
    rows = rows_of(spec, 1)
    assert rows["label"].value_counts(dropna=False).to_dict() == {"elm": 70, np.nan: 30}  # empty
    assert rows["color"].value_counts().to_dict() == {"elm": 70, "none": 30}
    assert spec["layer"][1]["encoding"]["color"]["scale"]["domain"] == ["elm", "none"]


def test_mistakes_are_told() -> None:
    frame = _frame(5)
    with pytest.raises(SpecError, match="scale is 'log'"):
        scatter(frame, "aum", "vog", scale="log")
    with pytest.raises(UnknownNameError, match=r"'aun'.*aum"):
        scatter(frame, "aun", "vog")
    with pytest.raises(DataError, match="'label'"):
        scatter(frame, "aum", "label")
