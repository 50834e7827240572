"""AUROC by epoch."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hcat_nb.charts.auroc import auroc_by_epoch, auroc_chart
from hcat_nb.errors import DataError


def _auroc(columns: list[str], n: int = 3) -> pd.DataFrame:
    values = np.linspace(0.5, 0.95, n * len(columns)).reshape(n, -1)
    return pd.DataFrame(values, index=pd.RangeIndex(1, n + 1, name="epoch"), columns=columns)


def test_each_figure_is_there_and_gaps_are_not(rows_of) -> None:
    table = _auroc(["aum", "vog", "grand"])
    table.loc[1, "aum"] = np.nan
    table["vog"] = np.nan
    spec = auroc_by_epoch(table).to_dict()
    rows = rows_of(spec, 1).pivot_table(index="epoch", columns="hcm", values="auroc")
    assert list(rows.columns) == ["aum", "grand"]
    assert rows["aum"].loc[2:].tolist() == pytest.approx(table["aum"].loc[2:], abs=1e-4)
    assert rows["grand"].tolist() == pytest.approx(table["grand"], abs=1e-4)  # four digits
    assert np.isnan(rows["aum"].loc[1])
    assert "n/a for vog" in spec["title"]["subtitle"]
    color = spec["layer"][1]["encoding"]["color"]
    assert (color["scale"]["domain"], color["title"]) == (["aum", "grand"], "method")


def test_more_methods_than_colours_are_told_apart_by_dashes() -> None:
    names = [f"m{i}" for i in range(13)]
    encoding = auroc_by_epoch(_auroc(names)).to_dict()["layer"][1]["encoding"]
    looks = zip(
        encoding["color"]["scale"]["range"],
        map(tuple, encoding["strokeDash"]["scale"]["range"]),
        strict=True,
    )
    assert len(set(looks)) == 13


def test_axes_do_not_depend_on_the_data_and_the_guess_is_drawn(rows_of) -> None:
    spec = auroc_chart(["aum"], 20, title="t", caption="c").to_dict()
    guess, lines, _ = spec["layer"]
    assert lines["data"] == {"name": "auroc"}
    assert lines["encoding"]["y"]["scale"]["domain"] == [0, 1]
    assert lines["encoding"]["x"]["scale"]["domain"] == [1, 20]
    assert guess["mark"]["type"] == "rule"
    (rows,) = spec["datasets"].values()
    assert rows == [{"guess": 0.5}]


def test_two_columns_of_one_name_are_refused() -> None:
    with pytest.raises(DataError, match="called 'aum'"):
        auroc_by_epoch(_auroc(["aum", "aum"]))
