"""What a column of a frame is read as."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import pytest

from hcat_nb.data.reading.column_kinds import Category, Number, read_column
from hcat_nb.data.table_options import TableOptions
from hcat_nb.errors import DataError

NONE = TableOptions()


def read(values: object, options: TableOptions = NONE, **how: object) -> Number | Category:
    return read_column(pd.Series(values, **how), "x", options)


@pytest.mark.parametrize("dtype", ["object", "str", "string", "string[pyarrow]", "category"])
def test_text_of_any_type_is_categorical(dtype: str) -> None:
    column = read(["b", "a", None, "b"], dtype=dtype)
    assert isinstance(column, Category)
    assert (column.levels, column.n_missing) == (["a", "b"], 1)
    assert column.codes.tolist() == [1, 0, -1, 1]


def test_declared_categories_keep_their_order_and_lose_those_without_a_row() -> None:
    dtype = pd.CategoricalDtype(["low", "mid", "high"], ordered=True)
    column = read(["high", "low"], dtype=dtype)
    assert isinstance(column, Category)
    assert column.levels == ["low", "high"]


@pytest.mark.parametrize("values", [[1, 2.5, None], [True, False, None], [np.int8(1), 2, np.nan]])
def test_numbers_held_as_objects_are_numbers_and_that_is_told(values: list[object]) -> None:
    column = read(values, dtype=object)
    assert isinstance(column, Number)
    expected = [float(one) for one in values[:2]]
    assert column.content.tolist()[:2] == expected
    assert np.isnan(column.content.iloc[2])
    assert "held as objects" in column.note


def test_codes_that_are_named_are_categories() -> None:
    column = read([30, 10, 10], TableOptions(categorical=("x",)))
    assert isinstance(column, Category)
    assert column.levels == [10, 30]


def test_a_declared_text_is_missing_whatever_its_spaces() -> None:
    column = read([" ?", "a", "?"], TableOptions(missing=("?",)))
    assert isinstance(column, Category)
    assert (column.levels, column.n_missing) == (["a"], 2)


def test_numbers_that_a_declared_text_made_text_are_numbers_again() -> None:
    column = read(["1", "?", "2.5"], TableOptions(missing=("?",)))
    assert isinstance(column, Number)
    np.testing.assert_array_equal(column.content, [1, np.nan, 2.5])


def test_codes_of_digits_stay_categories() -> None:
    column = read(["01", "02", "01"])
    assert isinstance(column, Category)
    assert column.levels == ["01", "02"]


def test_numbers_and_text_in_one_column_are_refused_with_counts() -> None:
    with pytest.raises(DataError, match=r"'x' mixes numbers and text: 1 .*2 rows, '1' in 1"):
        read([1, "1", 2], dtype=object)


def test_a_stray_text_among_numbers_is_refused_with_the_remedy() -> None:
    values = [f"{i}.25" for i in range(99)] + ["12,5"]
    with pytest.raises(DataError, match=r"99 of 100 values are numbers; 1 are not: '12,5'"):
        read(values)
    column = read(values, TableOptions(categorical=("x",)))
    assert isinstance(column, Category)


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([datetime.datetime(2020, 1, 1)], None),
        ([datetime.date(2020, 1, 1)], object),
        ([1j], complex),
        ([[1], [2]], object),
        ([pd.Period("2020")], None),
    ],
)
def test_other_kinds_are_refused(values: list[object], dtype: object) -> None:
    with pytest.raises(DataError, match=r"column 'x' holds .* of the type .*drop='x'"):
        read(values, dtype=dtype)


def test_identifiers_are_refused_and_joined_on_request() -> None:
    values = [f"patient {i}" for i in range(200)]
    with pytest.raises(DataError, match=r"200 different values in 200 rows.*text='x'.*drop='x'"):
        read(values)
    assert isinstance(read(values, TableOptions(max_categories=9)), Category)


def test_the_users_column_is_left_as_it_is() -> None:
    series = pd.Series(["?", "a"], dtype=object)
    read_column(series, "x", TableOptions(missing=("?",)))
    assert series.tolist() == ["?", "a"]
