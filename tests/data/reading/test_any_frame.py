"""Frames of other libraries (A63)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from hcat_nb.api.characterize import characterize
from hcat_nb.data.loading import load
from hcat_nb.data.reading.any_frame import as_pandas
from hcat_nb.errors import DataError

N = 30
COLUMNS: dict[str, Any] = {
    "size": [*range(N - 1), None],
    "mood": ["calm", "wild", "odd"] * 10,
    "cls": ["10", "9", "1"] * 10,
}


def polars_frame() -> Any:
    return pytest.importorskip("polars", reason="needs polars").DataFrame(COLUMNS)


def duckdb_relation() -> Any:
    duckdb = pytest.importorskip("duckdb", reason="needs duckdb")
    table = pa.table(COLUMNS)
    return duckdb.connect().from_arrow(table)


MAKERS = {
    "polars": polars_frame,
    "polars lazy": lambda: polars_frame().lazy(),
    "pyarrow": lambda: pa.table(COLUMNS),
    "duckdb": duckdb_relation,
}


@pytest.mark.parametrize("library", MAKERS)
def test_a_frame_of_any_library_is_read_as_that_of_pandas_is(library: str) -> None:
    ours = load(pd.DataFrame(COLUMNS), target="cls", impute="median", name="x")
    theirs = load(MAKERS[library](), target="cls", impute="median", name="x")
    assert theirs.features.tolist() == ours.features.tolist()
    assert theirs.labels.tolist() == ours.labels.tolist()
    assert theirs.feature_names == ours.feature_names == ("size", "mood")
    assert theirs.class_values == ("1", "9", "10")
    assert theirs.levels == ours.levels


@pytest.mark.parametrize("library", MAKERS)
def test_a_column_of_it_may_be_truth_or_groups(library: str) -> None:
    frame = as_pandas(MAKERS[library]()).assign(truth=["1", "9", "10"] * 10)
    made = load(pa.Table.from_pandas(frame), target="cls", truth="truth", impute=0)
    assert made.feature_names == ("size", "mood")
    assert made.truth is not None


def test_labels_beside_it_come_in_any_library() -> None:
    polars = pytest.importorskip("polars", reason="needs polars")
    features = polars.DataFrame({"size": range(N)})
    for labels in (polars.Series(COLUMNS["cls"]), pa.chunked_array([COLUMNS["cls"]])):
        assert load(features, labels).class_values == ("1", "9", "10")
    chosen = polars.Series(COLUMNS["cls"], dtype=polars.Enum(["9", "1", "10"]))
    assert load(features, chosen).class_values == ("9", "1", "10")
    by_chance = polars.Series(COLUMNS["cls"], dtype=polars.Categorical)
    assert load(features, by_chance).class_values == ("1", "9", "10")


def test_an_index_that_pyarrow_remembers_names_the_samples() -> None:
    frame = pd.DataFrame(COLUMNS, index=[f"s{row}" for row in range(N)])
    made = load(pa.Table.from_pandas(frame), target="cls", impute=0)
    assert made.sample_ids.tolist() == frame.index.tolist()


def test_missing_whole_numbers_stay_whole() -> None:
    made = as_pandas(pa.table({"code": [7, None, 2**60 + 1]}))
    assert made["code"].tolist() == [7, pd.NA, 2**60 + 1]


def test_a_run_takes_it_too() -> None:
    options = {"dataset_options": {"impute": 0}, "epochs": 1, "methods": "loss"}
    run = characterize(polars_frame(), target="cls", **options)
    assert len(run.scores) == N


def test_messages_name_the_library_and_do_not_contradict_themselves() -> None:
    with pytest.raises(DataError, match=r"no labels were given.*size, mood, cls"):
        load(polars_frame())
    with pytest.raises(DataError, match="data of the type ndarray; expected a frame with named"):
        load(np.eye(3), target="cls")
