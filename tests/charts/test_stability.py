"""The chart of stability over seeds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hcat_nb.charts.stability import stability
from hcat_nb.errors import DataError


@pytest.fixture
def pairs() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "hcm": ["aum"] * 3 + ["vog"] * 3 + ["mine"],
            "spearman": [0.9, 0.8, 1.0, 0.1, np.nan, -0.3, np.nan],
        }
    )


def test_the_most_stable_is_first_with_mean_and_spread(pairs, rows_of) -> None:
    spec = stability(pairs).to_dict()
    table = rows_of(spec, 1)
    assert table["method"].tolist() == ["aum", "vog"]
    assert table["mean"].tolist() == pytest.approx([0.9, -0.1])
    assert table["std"].tolist() == pytest.approx([0.1, np.sqrt(0.08)], abs=5e-5)
    assert table["high"].tolist() == pytest.approx([1.0, -0.1 + np.sqrt(0.08)], abs=5e-4)
    assert table["pairs"].tolist() == [3, 2]
    assert spec["title"]["subtitle"].endswith("2 n/a")


def test_each_pair_is_a_tick_and_negative_ones_have_room(pairs, rows_of) -> None:
    spec = stability(pairs).to_dict()
    assert len(rows_of(spec, 0)) == 5
    assert spec["layer"][0]["encoding"]["x"]["scale"]["domain"] == [-0.3, 1]


def test_any_columns_and_mistakes(pairs) -> None:
    renamed = pairs.rename(columns={"hcm": "who", "spearman": "tau"})
    assert stability(renamed, value="tau", method="who").to_dict()
    with pytest.raises(DataError, match="no column 'spearman'"):
        stability(renamed, method="who")
