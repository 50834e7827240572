"""Codes, levels, imputation, and what is told about them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.impute import SimpleImputer

from hcat_nb.data.reading.column_kinds import Category, read_column
from hcat_nb.data.reading.encode import INFREQUENT, MISSING, encode, impute
from hcat_nb.data.table_options import TableOptions
from hcat_nb.errors import DataError

NONE = TableOptions()


def category(values: list[object]) -> Category:
    column = read_column(pd.Series(values, dtype=object), "x", TableOptions(categorical=("x",)))
    assert isinstance(column, Category)
    return column


def decoded(codes: np.ndarray, levels: tuple[object, ...]) -> list[object]:
    return [levels[int(code)] for code in codes]


def test_codes_stand_for_the_values() -> None:
    text, numbers = ["b", "a", "c", "a"], [30, 10, 10, 20]
    codes, levels, notes = encode({"t": category(text), "n": category(numbers)}, NONE)
    assert codes.dtype == np.float32
    assert levels == [("a", "b", "c"), (10, 20, 30)]
    assert decoded(codes[:, 0], levels[0]) == text
    assert decoded(codes[:, 1], levels[1]) == numbers
    assert notes == ["categorical columns and their levels: t 3, n 3"]


def test_a_missing_value_is_the_last_level() -> None:
    codes, levels, notes = encode({"t": category(["b", None, "a"])}, NONE)
    assert levels == [("a", "b", MISSING)]
    assert codes[:, 0].tolist() == [1, 2, 0]
    assert notes[1] == "missing categories are a level of their own: t 1"


@pytest.mark.parametrize(
    "options", [{"min_frequency": 3}, {"min_frequency": 0.25}, {"max_categories": 3}]
)
def test_rare_levels_are_joined_and_counted(options: dict[str, object]) -> None:
    values = ["a"] * 4 + ["b"] * 3 + ["c", "d", None]
    codes, levels, notes = encode({"t": category(values)}, TableOptions(**options))
    assert levels == [("a", "b", INFREQUENT, MISSING)]
    assert codes[:, 0].tolist() == [0] * 4 + [1] * 3 + [2, 2, 3]
    assert "infrequent levels joined into one: t 2 of 4" in notes


def test_more_levels_than_a_network_should_see_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("hcat_nb.data.reading.encode._MOST_INDICATORS", 4)
    columns = {"t": category(list("abc")), "u": category(list("aab"))}
    with pytest.raises(DataError, match=r"have 5 levels, 3 of them in 't'.*max_categories"):
        encode(columns, NONE)


@pytest.mark.parametrize("how", ["mean", "median", "most_frequent"])
def test_missing_numbers_are_imputed_as_scikit_learn_does(how: str) -> None:
    numbers = np.array([[1, 5], [np.nan, 6], [2, 5], [9, np.nan], [9, 7]], np.float32)
    expected = SimpleImputer(strategy=how).fit_transform(numbers)
    filled, note = impute(numbers.copy(), ["a", "b"], how)
    assert filled.tolist() == expected.tolist()
    assert note == f"missing numbers became the {how.replace('_', ' ')} of the column: a 1, b 1"


def test_a_number_may_stand_for_what_is_missing() -> None:
    filled, note = impute(np.array([[np.nan], [2.0]], np.float32), ["a"], -1)
    assert filled.ravel().tolist() == [-1, 2]
    assert note == "missing numbers became -1: a 1"


def test_nothing_missing_nothing_told() -> None:
    assert impute(np.ones((2, 1), np.float32), ["a"], "mean")[1] == ""


def test_infinities_are_left_for_the_check_of_rows() -> None:
    numbers = np.array([[np.inf], [np.nan], [2.0], [4.0]], np.float32)
    filled, _ = impute(numbers, ["a"], "mean")
    assert filled.ravel().tolist() == [np.inf, 3, 2, 4]


def test_a_column_without_any_number_is_told() -> None:
    filled, note = impute(np.full((3, 1), np.nan, np.float32), ["a"], "median")
    assert filled.ravel().tolist() == [0, 0, 0]
    assert note.endswith("a 3; a: no number at all, so 0")
