"""Cells replaced in texts, every other character kept."""

from __future__ import annotations

import pytest

from hcat_nb.data.files.dialect import SPACE, Dialect
from hcat_nb.data.files.mend_text import DROP, json_cells, mend_json, mend_rows, row_cells
from hcat_nb.errors import StoreError

ROWS = '# made\r\n"a b";"cls";t\r\n"1,5";"x";"a;""q"\r\n2,5;y;"li\r\nne"\r\n\r\n3,5; x;z\r\n4;y;e'
SEMICOLONS = Dialect(";", "utf-8", '"', 1, True)


def test_rows_are_counted_as_they_are_read() -> None:
    assert row_cells(ROWS, SEMICOLONS, "cls") == ["x", "y", " x", "y"]
    assert row_cells(ROWS, SEMICOLONS, "t")[:2] == ['a;"q', "li\r\nne"]


@pytest.mark.parametrize(
    ("changes", "old", "new"),
    [
        ({}, "", ""),
        ({0: "y"}, '"1,5";"x";', '"1,5";"y";'),
        ({1: "x"}, "2,5;y;", "2,5;x;"),
        ({2: None}, "3,5; x;z", "3,5;;z"),
        ({0: None}, '"x"', '""'),
        ({1: "a;b"}, "2,5;y;", '2,5;"a;b";'),
        ({1: DROP}, '2,5;y;"li\r\nne"\r\n', ""),
        ({3: DROP}, "4;y;e", ""),
    ],
)
def test_only_that_cell_differs(changes: dict[int, str | None], old: str, new: str) -> None:
    assert mend_rows(ROWS, SEMICOLONS, "cls", changes) == ROWS.replace(old, new, 1)


def test_blanks_and_columns_by_number() -> None:
    dialect = Dialect(SPACE, "utf-8", '"', 0, False)
    assert mend_rows("5.1  1\n4.9  2\n", dialect, "1", {0: "2"}) == "5.1  2\n4.9  2\n"
    with pytest.raises(StoreError, match="no cell can be empty"):
        mend_rows("5.1  1\n4.9  2\n", dialect, "1", {0: None})
    with pytest.raises(StoreError, match="without quotes"):
        mend_rows("1,a\n", Dialect(",", "utf-8", "", 0, False), "1", {0: "a,b"})


@pytest.mark.parametrize(
    ("text", "changes", "made"),
    [
        ('{"a":1,"y":"p"}\n{"a":2, "y": "q"}\n', {1: "p"}, '{"a":1,"y":"p"}\n{"a":2, "y": "p"}\n'),
        ('[{"y": 1},\n {"y": 2}]\n', {0: None}, '[{"y": null},\n {"y": 2}]\n'),
        ('[{"y": 1}, {"y": 2}, {"y": 3}]', {0: DROP}, '[{"y": 2}, {"y": 3}]'),
        ('[{"y": 1}, {"y": 2}, {"y": 3}]', {2: DROP}, '[{"y": 1}, {"y": 2}]'),
        ('{"y":"a"}\n{"y":"b"}\n', {1: DROP}, '{"y":"a"}\n'),
        (r'[{"y":"\u00e9\/"}]', {0: "\u00fc/"}, r'[{"y":"\u00fc\/"}]'),
        ('[{"y":"\u00e9"}]', {0: "\u00fc"}, '[{"y":"\u00fc"}]'),
    ],
)
def test_records_keep_the_way_they_are_written(
    text: str, changes: dict[int, object], made: str
) -> None:
    assert mend_json(text, "y", {}) == text
    assert mend_json(text, "y", changes) == made


def test_a_value_that_stands_in_two_places_is_told() -> None:
    with pytest.raises(StoreError, match="not clear where 'y' stands"):
        mend_json('[{"y": 1, "x": {"y": 1}}]', "y", {0: 2})
    with pytest.raises(StoreError, match="no list of records"):
        json_cells("[1, 2]", "y")
