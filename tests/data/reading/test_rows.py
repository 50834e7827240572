"""What is said about rows without a label and rows that cannot be read."""

from __future__ import annotations

import pandas as pd
import pytest
import torch

from hcat_nb.data.reading.rows import check_policy, settle_bad_rows, settle_missing_labels
from hcat_nb.errors import DataError, SpecError


def _rows(n: int, *true: int) -> torch.Tensor:
    mask = torch.zeros(n, dtype=torch.bool)
    mask[list(true)] = True
    return mask


def test_missing_labels_are_counted_and_named_with_the_ways_on() -> None:
    with pytest.raises(DataError) as caught:
        settle_missing_labels(_rows(200, 8, 141), pd.RangeIndex(200), "error")
    text = str(caught.value)
    assert text.startswith("2 of 200 rows have no label: rows 8, 141;")
    assert 'on_missing_label="drop"' in text
    assert '"keep"' in text


def test_only_the_first_rows_are_named_and_by_their_ids() -> None:
    ids = pd.Index(list("abcdefgh"))
    note = settle_missing_labels(_rows(8, *range(1, 8)), ids, "drop")
    assert note == "7 of 8 rows have no label: rows b, c, d, e, f and 2 more; left out"


def test_bad_rows_of_a_table_are_named_with_their_columns() -> None:
    table = torch.zeros(200, 3)
    table[17, 2], table[40, 0], table[40, 1] = torch.nan, torch.inf, torch.nan
    with pytest.raises(DataError) as caught:
        settle_bad_rows(table, _rows(200, 17, 40), pd.RangeIndex(200), ("a", "b", "c"), "error")
    text = str(caught.value)
    assert "2 of 200 rows have NaN, infinity" in text
    assert "rows 17 (column 'c': NaN), 40 (column 'a': infinite and 1 more)" in text
    assert 'on_bad_row="drop"' in text


def test_a_bad_image_is_named_with_the_pixel() -> None:
    images = torch.zeros(3, 1, 4, 4)
    images[1, 0, 2, 3] = torch.nan
    note = settle_bad_rows(images, _rows(3, 1), pd.RangeIndex(3), None, "keep")
    assert note is not None
    assert note.startswith("1 of 3 rows has")
    assert "row 1 (channel 0, y 2, x 3: NaN); kept as unreadable" in note


def test_without_such_rows_nothing_is_said() -> None:
    none = _rows(3)
    assert settle_missing_labels(none, pd.RangeIndex(3), "error") is None
    assert settle_bad_rows(torch.zeros(3, 1), none, pd.RangeIndex(3), None, "error") is None


def test_a_policy_that_does_not_exist_is_refused() -> None:
    with pytest.raises(
        SpecError, match="on_bad_row is 'ignore'; expected one of error, drop, keep"
    ):
        check_policy("on_bad_row", "ignore")
