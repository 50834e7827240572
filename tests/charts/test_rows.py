"""Rows as CSV come back as they were."""

from __future__ import annotations

import csv
import io

import numpy as np

from hcat_nb.charts.coloring import Coloring
from hcat_nb.charts.rows import csv_table, numbers, shown


def test_text_and_gaps_come_back():
    names = ["<b>a</b>,\n", '"b"', "007"]
    table = csv_table({"name": names, "x": [1.5, None, -2]}, text={"name"})
    assert table["format"] == {"type": "csv", "parse": {"name": "string", "x": "number"}}
    rows = list(csv.DictReader(io.StringIO(table["values"])))
    assert [row["name"] for row in rows] == names
    assert [row["x"] for row in rows] == ["1.5", "", "-2"]


def test_numbers_keep_four_digits_and_what_is_not_finite_is_none():
    assert numbers(np.array([1 / 3, np.nan, np.inf, -12345.6], np.float32)) == [
        *(0.3333, None, None, -12350.0),
    ]


def test_codes_are_shown_by_their_names():
    named = Coloring("t", np.array([1, 0]), ("a", "b"), ("#000000", "#111111"))
    assert shown(named, named.data) == ["b", "a"]
    plain = Coloring("t", np.array([0.25, np.nan]))
    assert shown(plain, plain.data) == [0.25, None]
