"""Class codes: field reports A01 to A08 as far as labels go."""

from __future__ import annotations

import enum
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from hcat_nb.data.reading.labels import code_labels
from hcat_nb.errors import DataError

WOODS = ["oak", "elm", "ash", "elm", "oak"]
CODES = [2, 1, 0, 1, 2]


class Wood(enum.StrEnum):
    OAK = "oak"
    ELM = "elm"


@pytest.mark.parametrize(
    ("labels", "values", "codes"),
    [
        (np.array([30, 10, 20]), (10, 20, 30), [2, 0, 1]),
        ([1, -1, 1], (-1, 1), [1, 0, 1]),
        ([0, 1, 3], (0, 1, 3), [0, 1, 2]),
        ([True, False], (False, True), [1, 0]),
        (torch.tensor([True, False]), (False, True), [1, 0]),
        (np.array([1.0, 0.0, 1.0]), (0.0, 1.0), [1, 0, 1]),
        ([2, 1.0, 2], (1.0, 2.0), [1, 0, 1]),
        (np.array(["b", "a"]), ("a", "b"), [1, 0]),
        ([Wood.OAK, Wood.ELM], ("elm", "oak"), [1, 0]),
        (np.array([2**63 + 1, 5], dtype=np.uint64), (5, 2**63 + 1), [1, 0]),
    ],
)
def test_values_stay_what_the_user_gave(
    labels: object, values: tuple[object, ...], codes: list[int]
) -> None:
    coded = code_labels(labels)
    assert coded.codes.tolist() == codes
    assert coded.codes.dtype == np.int64
    assert coded.class_values == values
    assert [type(value) for value in coded.class_values] == [type(value) for value in values]


@pytest.mark.parametrize(
    "labels",
    [
        WOODS,
        np.array(WOODS, dtype=object),
        pd.Series(WOODS),
        pd.Series(WOODS, dtype="string[pyarrow]"),
        pd.Categorical(WOODS),
        pd.Categorical(WOODS, categories=["ash", "beech", "elm", "oak"]),
    ],
)
def test_a03_text_of_any_kind_is_coded_alike(labels: object) -> None:
    coded = code_labels(labels)
    assert coded.codes.tolist() == CODES
    assert coded.class_values == ("ash", "elm", "oak")


def test_a03_categories_keep_their_order_and_unused_ones_are_told() -> None:
    coded = code_labels(pd.Categorical(["low", "high"], categories=["low", "mid", "high"]))
    assert coded.class_values == ("low", "high")
    assert coded.codes.tolist() == [0, 1]
    assert coded.notes == (
        "unused category 'mid' left out: no row has it (classes= keeps such classes)",
    )


def test_a01_classes_without_a_row_exist_when_they_are_named() -> None:
    coded = code_labels([0, 1, 3, None], classes=[0, 1, 2, 3])
    assert coded.class_values == (0, 1, 2, 3)
    assert coded.codes.tolist() == [0, 1, 3, -1]


def test_named_classes_set_the_order_of_a_categorical() -> None:
    column = pd.Categorical(["a", "b"], categories=["b", "a", "c"])
    coded = code_labels(column, classes=["a", "b", "c"])
    assert coded.codes.tolist() == [0, 1]
    assert not coded.notes


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ([0, 1], "2 labels are not among the classes: 3"),
        (["0", "1", "3"], "4 labels are not among the classes: 0, 1, 3"),
        ([0, 1, 1, 3], "twice"),
        ([0, "1"], "mix numbers and text"),
        ("013", "a sequence of class values"),
        (4, "a sequence of class values"),
    ],
)
def test_named_classes_have_to_fit(classes: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        code_labels([0, 1, 3, 3], classes=classes)


@pytest.mark.parametrize(
    "labels",
    [
        [0.0, float("nan"), 1.0],
        np.array([0.0, np.nan, 1.0], dtype=np.float32),
        ["a", None, "b"],
        ["a", float("nan"), "b"],
        ["a", pd.NA, "b"],
        ["1", "nan", "2.0"],
        ["True", "<NA>", "false"],
        [True, None, False],
        pd.Series(["a", None, "b"], dtype="string[pyarrow]"),
        pd.array([1, None, 2], dtype="Int64"),
        pd.Categorical(["a", None, "b"]),
        pd.Categorical(["1", "nan", "2"]),
    ],
)
def test_a05_a07_a_missing_label_is_never_a_class(labels: object) -> None:
    coded = code_labels(labels)
    assert len(coded.class_values) == 2
    assert (coded.codes == -1).tolist() == [False, True, False]
    assert not {"nan", "None", "<NA>"} & set(map(str, coded.class_values))


@pytest.mark.parametrize("word", ["nan", "<NA>", "NaT"])
@pytest.mark.parametrize("kind", [list, pd.Categorical, np.array, pd.Series])
def test_a47_among_words_every_text_is_a_class_and_said(word: str, kind: Any) -> None:
    coded = code_labels(kind(["oak", word, "oak"]))
    assert set(coded.class_values) == {"oak", word}
    assert (coded.codes >= 0).all()
    assert coded.notes == (f"the text {word!r} is a class; a missing label (None, NaN) is not",)


def test_none_as_text_is_a_class_and_said() -> None:
    coded = code_labels(["None", "mild", None])
    assert coded.class_values == ("None", "mild")
    assert coded.codes.tolist() == [0, 1, -1]
    assert any("'None' is a class" in note for note in coded.notes)


@pytest.mark.parametrize(
    "labels",
    [
        np.array([0.0, 0.5, 1.0]),
        [0.0, 1.0, 0.5, None],
        [0.0, np.inf],
        pd.array([0.5, None], dtype="Float64"),
        np.arange(30),
        np.arange(30) * 100.0,
    ],
)
def test_a07_measurements_look_like_a_regression_target(labels: object) -> None:
    with pytest.raises(DataError, match=r"looks like a regression target.*pandas\.cut"):
        code_labels(labels)


def test_many_classes_with_rows_enough_or_named_are_no_measurements() -> None:
    assert len(code_labels(np.repeat(np.arange(30), 2)).class_values) == 30
    assert len(code_labels(np.arange(30), classes=range(30)).class_values) == 30
    assert len(code_labels([f"person {i}" for i in range(30)]).class_values) == 30


def test_a04_a_one_hot_matrix_is_coded_as_its_columns() -> None:
    coded = code_labels(np.eye(4)[[3, 0, 1]])
    assert coded.class_values == (0, 1, 2, 3)
    assert coded.codes.tolist() == [3, 0, 1]
    assert coded.notes == ("labels read from 4 one-hot columns",)
