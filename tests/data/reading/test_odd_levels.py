"""Levels that a typing error may have made."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from hcat_nb.data.loading import load
from hcat_nb.data.reading.odd_levels import far_numbers, odd_levels


def test_rare_levels_are_named_the_rarest_first() -> None:
    assert odd_levels({"tree": {"oak": 500, "elm": 400, "olm": 3, "o ak": 1}}, 904) == [
        "levels of less than 1 % of the rows: tree 'o ak' 1, tree 'olm' 3"
    ]


def test_the_rarer_of_two_levels_is_no_error() -> None:
    assert odd_levels({"flag": {"no": 500, "yes": 1}}, 502) == []


def test_levels_that_look_like_missing_values_are_named_with_the_remedy() -> None:
    columns = {
        "work": dict.fromkeys([" ?", "yes", "no"], 9),
        "race": dict.fromkeys(["NA", "x"], 9),
        "plain": dict.fromkeys(["nab", "x-"], 9),
    }
    assert odd_levels(columns, 27) == [
        "levels that may stand for a missing value: work ' ?', race 'NA' "
        "(missing='?' makes them one)"
    ]


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ([f"[{10 * i}-{10 * i + 10})" for i in range(10)], []),
        (["1990", "1991", "1992", "1993", "9199"], ["9199"]),
        (["a1", "a2", "b3", "c400"], []),  # too few of one form to say what is usual
        (["x5", "x5a", "x6", "x7", "x8", "x9", "x10"], []),
        (["x1.5", "x1.5 ", 7, None, "tree"], []),
    ],
)
def test_numbers_far_from_the_others(levels: list[object], expected: list[str]) -> None:
    assert far_numbers(levels) == expected


def test_eucalyptus_impossible_latitudes_are_the_one_finding(shared_data: Path) -> None:
    data = load(shared_data / "tables" / "eucalyptus.parquet", target="Utility", impute="median")
    found = [note for note in data.notes if "far from" in note]
    assert found == ["levels whose number lies far from those of the others: Latitude '82__32' 6"]


@pytest.mark.parametrize("name", ["adult", "diabetes130us"])
def test_sound_tables_give_no_false_alarm(shared_data: Path, name: str) -> None:
    frame = pd.read_parquet(shared_data / "tables" / f"{name}.parquet")
    text = frame.select_dtypes(exclude="number").drop(
        columns=["diag_1", "diag_2", "diag_3"], errors="ignore"
    )
    assert [one for column in text for one in far_numbers(text[column].unique())] == []
