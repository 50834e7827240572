"""The chart to decide by."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hcat_nb.charts.choice import choice
from hcat_nb.errors import DataError


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "hardness": ["uniform", "uniform", "far_ood", "far_ood"],
            "hcm": ["vog", "aum", "vog", "aum"],
            "value": [0.2, 0.95, np.nan, 0.6],
            "mean_rank": [2, 1, np.nan, 1],
            "best_group": [False, True, False, True],
            "n_blocks": 4,
        }
    )


def test_methods_stand_by_mean_rank_and_the_best_are_marked(table, rows_of) -> None:
    spec = choice(table).to_dict()
    encoding = spec["layer"][0]["encoding"]
    assert encoding["y"]["scale"]["domain"] == ["aum", "vog"]
    assert encoding["x"]["scale"]["domain"] == ["uniform", "far_ood"]
    cells = rows_of(spec).set_index(["hcm", "hardness"])
    assert cells["best"].to_dict()[("aum", "uniform")] == 1
    assert cells.loc[("vog", "far_ood"), "figure"] == "n/a"
    assert cells.loc[("vog", "uniform"), "figure"] == "0.20"


def test_colours_part_at_a_guess(table) -> None:
    spec = choice(table, metric="AUPRC", middle=0.1).to_dict()
    scale = spec["layer"][0]["encoding"]["color"]["condition"]["scale"]
    assert (scale["domain"], scale["domainMid"]) == ([0, 1], 0.1)
    assert "AUPRC" in spec["title"]["subtitle"]


def test_mistakes_are_told(table) -> None:
    with pytest.raises(DataError, match="no column 'mean_rank'"):
        choice(table.drop(columns="mean_rank"))
