"""Whatever holds labels, as one column or a one-hot matrix."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch

from hcat_nb.data.reading.label_column import OneHot, label_column
from hcat_nb.errors import DataError


@pytest.mark.parametrize(
    "labels",
    [
        [2, 0, 1],
        (2, 0, 1),
        np.array([[2], [0], [1]]),
        np.array([2, 0, 1], dtype=np.uint8),
        torch.tensor([2, 0, 1], dtype=torch.int32),
        [torch.tensor(2), torch.tensor(0), torch.tensor(1)],
        [np.array(2), np.int64(0), 1],
        pd.Series([2, 0, 1], index=[7, 8, 9]),
        pd.Index([2, 0, 1]),
        pd.array([2, 0, 1], dtype="Int64"),
        pd.DataFrame({"y": [2, 0, 1]}),
        pa.array([2, 0, 1]),
        pa.chunked_array([[2, 0], [1]]),
    ],
)
def test_holders_of_numbers_are_one_column(labels: object) -> None:
    column = label_column(labels)
    assert isinstance(column, np.ndarray)
    assert column.tolist() == [2, 0, 1]


def test_a_missing_integer_does_not_make_floats_of_the_others() -> None:
    for labels in ([2, None], pd.array([2, None], dtype="Int64"), pa.array([2, None])):
        column = label_column(labels)
        assert isinstance(column, np.ndarray)
        assert type(column[0]) is int


@pytest.mark.parametrize(
    "matrix",
    [
        np.eye(3)[[2, 0, 1]],
        np.eye(3, dtype=bool)[[2, 0, 1]],
        torch.eye(3)[[2, 0, 1]],
        np.eye(3, dtype=int)[[2, 0, 1]].tolist(),
        list(torch.eye(3)[[2, 0, 1]]),
    ],
)
def test_one_hot_rows_are_recognised(matrix: object) -> None:
    column = label_column(matrix)
    assert isinstance(column, OneHot)
    assert column.codes.tolist() == [2, 0, 1]
    assert list(column.names) == [0, 1, 2]


def test_columns_of_a_one_hot_frame_name_the_classes() -> None:
    column = label_column(pd.get_dummies(pd.Series(["oak", "elm"])))
    assert isinstance(column, OneHot)
    assert list(column.names) == ["elm", "oak"]
    assert column.codes.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([[1, 0], [1, 1]], "row 1 is not one-hot"),
        ([[1, 0], [0, 0]], "row 1 is not one-hot"),
        ([[0.3, 0.7], [0.0, 1.0]], r"row 0 is not one-hot.*argmax"),
        ([[1, 0], [np.nan, 1]], "row 1 is not one-hot"),
        ([["a", "b"]], "shape"),
        ([[1, 0], [1]], "differing lengths"),
        (np.zeros((2, 2, 2)), "shape"),
        (np.array(3), "shape"),
        ({1, 2}, "type set have no order"),
        ("abc", "type str"),
        (np.ma.masked_equal([1, 2], 1), "masked"),
    ],
)
def test_the_rest_is_refused_in_one_line(labels: object, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        label_column(labels)
    assert "\n" not in str(caught.value)
