"""Trajectories of chosen samples."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hcat_nb.charts.trajectories import MOST_LINES, trajectories
from hcat_nb.errors import DataError


@pytest.fixture
def dynamics() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    ids = [f"s{i}" for i in range(100)]
    return pd.DataFrame(
        rng.random((100, 4)), index=ids, columns=[f"epoch_{e}" for e in (1, 2, 3, 4)]
    )


def test_chosen_samples_are_drawn_with_their_outcomes(dynamics: pd.DataFrame, rows_of) -> None:
    outcomes = np.array([["correct"] * 4, ["incorrect", "unknown", "correct", "correct"]])
    spec = trajectories(dynamics, [7, 3], outcomes=outcomes, labels=["oak", "elm"]).to_dict()
    rows = rows_of(spec, 2).set_index(["sample", "epoch"])
    for sample, label, expected in zip(("s7", "s3"), ("oak", "elm"), outcomes, strict=True):
        one = rows.loc[sample]
        assert one["p"].tolist() == pytest.approx(dynamics.loc[sample].tolist(), abs=6e-5)
        assert one["outcome"].tolist() == expected.tolist()
        assert set(one["label"]) == {label}
    shapes = spec["layer"][3]["encoding"]["shape"]["scale"]
    assert dict(zip(shapes["domain"], shapes["range"], strict=True)) == {
        "correct": "circle",
        "incorrect": "cross",
        "unknown": "diamond",
    }


def test_bands_are_quantiles_of_all_samples(dynamics: pd.DataFrame, rows_of) -> None:
    dynamics.iloc[:10, 2] = np.nan
    rows = rows_of(trajectories(dynamics).to_dict(), 0).set_index("epoch")
    for epoch in (1, 2, 3, 4):
        expected = np.nanquantile(dynamics[f"epoch_{epoch}"], [0.05, 0.25, 0.75, 0.95])
        np.testing.assert_allclose(rows.loc[epoch], expected, atol=6e-5)  # four digits


def test_an_epoch_that_missed_a_sample_is_a_gap(dynamics: pd.DataFrame, rows_of) -> None:
    dynamics.iloc[5, 1] = np.nan
    rows = rows_of(trajectories(dynamics, [5]).to_dict(), 2)
    assert rows["p"].isna().tolist() == [False, True, False, False]


def test_too_many_are_cut_and_it_says_so(dynamics: pd.DataFrame, rows_of) -> None:
    spec = trajectories(dynamics, range(60)).to_dict()
    assert rows_of(spec, 2)["sample"].nunique() == MOST_LINES
    assert "60 chosen, the first 20 drawn" in spec["title"]["subtitle"]


def test_repeated_ids_are_told_apart(dynamics: pd.DataFrame, rows_of) -> None:
    twice = dynamics.set_axis(["a"] * 100)
    assert set(rows_of(trajectories(twice, [1, 2]).to_dict(), 2)["sample"]) == {
        "a (row 1)",
        "a (row 2)",
    }


def test_mistakes_are_told(dynamics: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="100 samples"):
        trajectories(dynamics, [100])
    with pytest.raises(DataError, match=r"shape \(1, 4\).*\(2, 4\)"):
        trajectories(dynamics, [0, 1], outcomes=np.full((1, 4), "correct"))
