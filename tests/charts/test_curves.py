"""Loss and accuracy by epoch."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hcat_nb.charts.curves import MOST_EPOCHS, curves, curves_chart, thinned
from hcat_nb.errors import DataError


def _history(n: int) -> pd.DataFrame:
    return pd.DataFrame(
        {"loss": 1 / np.arange(1, n + 1), "accuracy": np.linspace(0.5, 0.982, n)},
        index=pd.RangeIndex(1, n + 1, name="epoch"),
    )


def test_every_epoch_is_there_in_both_plots(rows_of) -> None:
    spec = curves(_history(4)).to_dict()
    fields = [plot["encoding"]["y"]["field"] for plot in spec["concat"]]
    assert fields == ["loss", "accuracy"]
    rows = rows_of(spec)
    assert rows["epoch"].tolist() == [1, 2, 3, 4]
    assert rows["loss"].tolist() == [1, 0.5, 0.3333, 0.25]
    assert "4 epochs; the last: loss 0.25, accuracy 98.2%" in spec["title"]["subtitle"]


def test_an_unknown_accuracy_is_a_gap_and_is_not_told(rows_of) -> None:
    spec = curves(_history(2).assign(accuracy=np.nan)).to_dict()
    assert rows_of(spec)["accuracy"].isna().all()
    assert spec["title"]["subtitle"] == "2 epochs; the last: loss 0.5"


def test_many_epochs_are_thinned_and_the_last_one_stays(rows_of) -> None:
    spec = curves(_history(5000)).to_dict()
    rows = rows_of(spec)
    assert len(rows) == MOST_EPOCHS
    assert rows["epoch"].iloc[[0, -1]].tolist() == [1, 5000]
    assert "5,000 epochs, 1,000 of them drawn" in spec["title"]["subtitle"]
    assert thinned(0).tolist() == []
    assert thinned(1).tolist() == [0]


def test_live_curves_have_named_data_and_an_axis_that_stays() -> None:
    spec = curves_chart(8, title="t", caption="c").to_dict()
    assert spec["data"] == {"name": "curves"}
    for plot in spec["concat"]:
        assert plot["encoding"]["x"]["scale"]["domain"] == [1, 8]
        assert plot["encoding"]["x"]["axis"]["values"] == list(range(1, 9))


def test_a_frame_of_something_else_is_refused() -> None:
    with pytest.raises(DataError, match="no column 'accuracy'"):
        curves(_history(2)[["loss"]])
