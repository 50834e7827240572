from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hcat_nb.checks.profile import profiles


def kind(values: object) -> str:
    return profiles(pd.DataFrame({"a": pd.Series(values)}))[0].kind


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2.5, None], "number"),
        ([True, False], "number"),
        (["1", "2", "3"] * 9 + ["?"], "numbers as text"),
        (["1,25", "2,5", "1.250,75"], "decimal commas"),
        (["2024-01-31", "2024-02-01 10:30"], "dates as text"),
        (["31.01.2024", "1/2/2024"], "dates as text"),
        (["red", "blue", None], "words"),
        (["how do I pay?", "where is my card now", "it was lost in town"], "text"),
        (pd.to_datetime(["2024-01-31", None]), "date"),
        (pd.Series([None, None], dtype=object), "empty"),
        ([b"ab", b"cd"], "bytes"),
        ([[1, 2], [1, 2]], "bytes"),
        (["a", 1], "mixed (int, str)"),
        (["39__38", "40__11"], "words"),
    ],
)
def test_a_column_is_of_one_kind(values: object, expected: str) -> None:
    assert kind(values) == expected


def test_values_are_counted_and_missing_ones_are_none() -> None:
    (one,) = profiles(pd.DataFrame({"a": pd.array([3, None, 3, 5], dtype="Int64")}))
    assert one.codes.tolist() == [0, -1, 0, 1]
    assert one.counts.tolist() == [2, 1]
    assert one.n_missing == 1
    assert one.whole


def test_large_whole_numbers_stay_apart() -> None:
    (one,) = profiles(pd.DataFrame({"a": np.array([2**53, 2**53 + 1])}))
    assert len(one.levels) == 2


def test_categories_are_their_values() -> None:
    (one,) = profiles(pd.DataFrame({"a": pd.Categorical([1, None, 2], categories=[2, 1, 7])}))
    assert (one.codes.tolist(), one.levels.tolist()) == ([0, -1, 1], [1, 2])
