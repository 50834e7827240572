"""DataFrames: target, columns, index."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hcat_nb.data.reading.frames import from_frame
from hcat_nb.data.table_options import TableOptions
from hcat_nb.errors import DataError, UnknownNameError


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {"width": [1.0, 2.0, 3.0], "species": ["a", "b", "a"], "count": [4, 5, 6]},
        index=["x", "y", "x"],
    )


def test_all_columns_but_the_target_are_features(frame: pd.DataFrame) -> None:
    parts = from_frame(frame, None, "species")
    assert parts.feature_names == ("width", "count")
    assert parts.features.tolist() == [[1, 4], [2, 5], [3, 6]]
    assert list(parts.labels) == ["a", "b", "a"]
    assert list(parts.ids) == ["x", "y", "x"]


def test_labels_may_stand_beside_the_frame(frame: pd.DataFrame) -> None:
    parts = from_frame(frame[["width"]], frame["species"], None)
    assert parts.features.tolist() == [[1], [2], [3]]


def test_nullable_arrow_and_boolean_columns_are_numeric() -> None:
    frame = pd.DataFrame(
        {
            "a": pd.array([1, None, 3], dtype="Int64"),
            "b": pd.array([True, False, None], dtype="boolean"),
            "c": pd.array([0.5, 1.5, 2.5], dtype="float64[pyarrow]"),
            "d": [True, False, True],
            "y": [0, 1, 0],
        }
    )
    values = from_frame(frame, None, "y").features
    expected = [[1, 1, 0.5, 1], [np.nan, 0, 1.5, 0], [3, np.nan, 2.5, 1]]
    np.testing.assert_array_equal(values, np.array(expected, dtype=np.float32))


def test_a_target_is_found_by_its_text_too() -> None:
    frame = pd.DataFrame(np.eye(3), columns=[0, 1, 2])
    assert from_frame(frame, None, "2").feature_names == ("0", "1")


def test_an_absent_target_is_answered_with_the_nearest_names(frame: pd.DataFrame) -> None:
    with pytest.raises(DataError, match=r"no column 'specie' .*nearest: species"):
        from_frame(frame, None, "specie")


def test_labels_are_no_name_of_a_column(frame: pd.DataFrame) -> None:
    with pytest.raises(DataError, match=r"target is a Series; .*load\(frame, labels\)"):
        from_frame(frame, None, frame["species"])


def test_of_many_columns_only_the_near_ones_are_listed() -> None:
    frame = pd.DataFrame(np.zeros((2, 100)), columns=[f"gene{i}" for i in range(99)] + ["tumour"])
    with pytest.raises(DataError, match=r"one of tumour \(nearest: tumour\)"):
        from_frame(frame, None, "tumor")


def test_options_reach_the_columns(frame: pd.DataFrame) -> None:
    parts = from_frame(frame, None, "species", TableOptions(drop=("count",)))
    assert parts.feature_names == ("width",)


def test_a_dropped_column_is_not_the_target(frame: pd.DataFrame) -> None:
    with pytest.raises(UnknownNameError, match=r"drop names the column 'species', .*no feature"):
        from_frame(frame, None, "species", TableOptions(drop=("species",)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.set_index(["width", "count"]), r"MultiIndex as its index.*reset_index"),
        (lambda f: f.set_axis(["width", "species", "width"], axis=1), "several .* 'width'"),
        (lambda f: f.set_axis([[1, 1, 1], [1, 2, 3]], axis=1), "MultiIndex as its columns"),
        (lambda f: f[["species"]], "no feature column"),
    ],
)
def test_frames_of_another_form_are_refused(
    frame: pd.DataFrame, change: object, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        from_frame(change(frame), None, "species")


def test_labels_of_another_index_are_refused() -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0]}, index=[5, 6])
    labels = pd.Series(["p", "q"], index=[6, 5])
    with pytest.raises(DataError, match=r"another index .*labels\.loc\[frame\.index\]"):
        from_frame(frame, labels, None)


def test_renaming_the_users_index_does_not_arrive_here(frame: pd.DataFrame) -> None:
    ids = from_frame(frame, None, "species").ids
    frame.index.name = "later"
    assert ids is not None
    assert ids.name is None
