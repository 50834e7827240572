"""Texts that are numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hcat_nb.data.files.number_texts import blank_mixed, number_text, told_missing, without
from hcat_nb.data.table_options import TableOptions
from hcat_nb.errors import DataError

PLAIN = TableOptions()


@pytest.mark.parametrize(
    ("texts", "numbers", "notes"),
    [
        (["1,25", "2,5", "3"], [1.25, 2.5, 3], ("decimal sign ','",)),
        (["1.500,25", "2,5"], [1500.25, 2.5], ("decimal sign ',', thousands sign '.'",)),
        (
            ["1,500.25", "12,000", "7"],
            [1500.25, 12000, 7],
            ("decimal sign '.', thousands sign ','",),
        ),
        (["1 500", "20"], [1500, 20], ("decimal sign '.', thousands sign a space",)),
        (["1\u202f500,5", "20"], [1500.5, 20], ("decimal sign ',', thousands sign a space",)),
        (["1'500.5", "20"], [1500.5, 20], ("decimal sign '.', thousands sign \"'\"",)),
        (["5 kg", "7.5 kg", "9 kg"], [5, 7.5, 9], ("unit 'kg', taken off",)),
        (["$5", "$1,200.50", "$9"], [5, 1200.5, 9], None),
        (["12,5 %", "7 %", "0,5 %"], [12.5, 7, 0.5], ("decimal sign ','", "unit '%', taken off")),
        ([" 7", "1e3", "-2.5"], [7, 1000, -2.5], ()),
    ],
)
def test_signs_and_units_are_found(
    texts: list[str], numbers: list[float], notes: tuple[str, ...] | None
) -> None:
    found = number_text(pd.Series(texts), "x", PLAIN)
    assert found is not None
    assert found.content.tolist() == numbers
    assert notes is None or found.notes == notes


@pytest.mark.parametrize(
    "texts",
    [
        ["low", "high"],
        ["5 kg", "300 g", "7 kg"],
        ["82__32", "39__38"],
        ["1.2.3.4", "10.0.0.1"],
        ["[0-10)", "[10-20)"],
        ["NA", "None"],
        ["2020-01-01", "2021-05-06"],
        ["a1", "a2", "a3"],
        ["1,2,3", "4"],
    ],
)
def test_words_stay_words(texts: list[str]) -> None:
    assert number_text(pd.Series(texts), "x", PLAIN) is None


def test_words_for_what_is_missing_are_counted_among_numbers_dates_and_truths() -> None:
    found = number_text(pd.Series(["1", "NA", "3", "n/a", "NA", None]), "x", PLAIN)
    assert found is not None
    assert found.missing == {"NA": 2, "n/a": 1}
    assert found.content.fillna(-1).tolist() == [1, -1, 3, -1, -1, -1]
    dates = number_text(pd.Series(["2020-01-01", "null"]), "x", PLAIN)
    assert dates is not None
    assert (dates.content[0], dates.missing) == ("2020-01-01", {"null": 1})
    truths = number_text(pd.Series(["True", "NaN", "false"]), "x", PLAIN)
    assert truths is not None
    assert truths.content[[0, 2]].tolist() == [True, False]


def test_what_can_be_read_in_two_ways_is_named_unless_something_settles_it() -> None:
    column = pd.Series(["1,500", "2,250"])
    with pytest.raises(DataError, match=r"as 1.5 and 1500.*decimal=',' or thousands=','"):
        number_text(column, "x", PLAIN)
    for options, likely, first in (
        (TableOptions(decimal=","), "", 1.5),
        (TableOptions(thousands=","), "", 1500),
        (PLAIN, ",", 1.5),
        (PLAIN, ".", 1500),
    ):
        found = number_text(column, "x", options, likely)
        assert found is not None
        assert found.content[0] == first
    left = number_text(column, "x", PLAIN, None)
    assert left is not None
    assert left.sign == ""


def test_a_stray_word_among_other_numbers_is_named() -> None:
    column = pd.Series(["1,25", "2,5", *map(str, range(20)), "unknown"])
    with pytest.raises(DataError, match=r"22 of 23 values are numbers with the decimal sign ','"):
        number_text(column, "x", PLAIN)
    assert number_text(column, "x", PLAIN, signs=False) is None


def test_in_a_frame_texts_of_plain_numbers_are_codes() -> None:
    assert number_text(pd.Series(["1", "2"]), "x", PLAIN, plain=False) is None
    assert number_text(pd.Series(["1,5", "2"]), "x", PLAIN, plain=False) is not None


def test_words_of_the_user_are_taken_out_of_texts_and_numbers() -> None:
    column, counts = without(pd.Series([" ?", "a", "?"]), ("?",))
    assert (column.isna().tolist(), counts) == ([True, False, True], {" ?": 1, "?": 1})
    column, counts = without(pd.Series([1.5, -999, 2]), ("-999", "?"))
    assert (np.isnan(column).tolist(), counts) == ([False, True, False], {"-999": 1})
    same = pd.Series([1, 2])
    assert without(same, ("?",))[0] is same


def test_numbers_and_missing_words_in_one_column_of_objects() -> None:
    column, counts = blank_mixed(pd.Series([1.5, "NA", 2], dtype=object))
    assert (column.dtype, counts) == (np.float64, {"NA": 1})
    assert blank_mixed(pd.Series([1.5, "low"], dtype=object))[1] == {}
    assert blank_mixed(pd.Series(["NA", "low"], dtype=object))[1] == {}


def test_what_was_missing_is_told_by_column() -> None:
    assert told_missing({"a": {"?": 1200}, "b": {}}) == ["taken as missing: a '?' 1,200"]
    assert told_missing({}) == []
