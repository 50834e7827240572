"""The heat map of who beats whom."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hcat_nb.charts.dominance import dominance
from hcat_nb.errors import DataError, SpecError
from hcat_nb.evaluation.dominance import who_beats_whom


@pytest.fixture
def pairs() -> pd.DataFrame:
    base = np.random.default_rng(0).random(12)
    values = pd.DataFrame({"aum": base + 0.1, "vog": base, "loss": base + 0.1})
    p = pd.DataFrame(0.5, index=values.columns, columns=values.columns)
    p.loc["aum", "vog"] = p.loc["vog", "aum"] = 0.03
    return who_beats_whom(values, p, n_resamples=50)


def test_a_cell_says_who_wins_how_often_and_how_surely(pairs, rows_of) -> None:
    spec = dominance(pairs).to_dict()
    cells = rows_of(spec).set_index(["first", "second"])
    assert len(cells) == 6
    win = cells.loc[("aum", "vog")]
    assert (win["figure"], win["score"], win["significant"]) == ("+1.00", "12 of 12", 1)
    assert cells.loc[("vog", "aum"), "figure"] == "-1.00"
    assert cells.loc[("aum", "loss"), "score"] == "0 of 12, 12 ties"
    assert "p < 0.05 (1 pairs)" in spec["title"]["subtitle"]


def test_alpha_and_the_order_are_the_callers(pairs, rows_of) -> None:
    spec = dominance(pairs, alpha=0.01, methods=["vog", "aum"]).to_dict()
    assert rows_of(spec)["significant"].tolist() == [0, 0]
    assert spec["layer"][0]["encoding"]["y"]["scale"]["domain"] == ["vog", "aum"]


def test_mistakes_are_told(pairs) -> None:
    with pytest.raises(DataError, match="no column 'effect'"):
        dominance(pairs.drop(columns="effect"))
    with pytest.raises(SpecError, match="alpha is 5"):
        dominance(pairs, alpha=5)
