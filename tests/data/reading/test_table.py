"""A frame's feature columns as one matrix."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hcat_nb.data.reading.table import nearest_columns, read_table
from hcat_nb.data.table_options import TableOptions
from hcat_nb.errors import DataError, UnknownNameError


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": [101, 102, 103],
            "colour": ["red", None, "blue"],
            "size": [1.5, np.nan, 3.0],
            "remark": ["too small", "fine", "too big"],
        }
    )


def test_numbers_codes_and_words_stand_in_one_matrix(frame: pd.DataFrame) -> None:
    table = read_table(frame, TableOptions(drop=("id",), impute=0, text="remark", analyzer="word"))
    assert table.names[:2] == ("colour", "size")
    assert table.features[:, 0].tolist() == [1, 2, 0]
    assert table.levels == {0: ("blue", "red", "(missing)")}
    assert table.features[:, 1].tolist() == [1.5, 0, 3]
    assert [table.names[i] for i in table.words] == [
        f"remark: {word}" for word in ("big", "fine", "small", "too")
    ]
    assert (table.features[:, 2:] > 0).sum(axis=1).tolist() == [2, 1, 2]
    assert table.text == "remark"
    assert table.notes[0] == "left out: id"
    assert len(table.notes) == 5


def test_the_original_is_kept_and_is_a_copy(frame: pd.DataFrame) -> None:
    kept = read_table(frame, TableOptions(drop=("id",), text="remark")).original
    assert kept is not None
    frame.loc[0, "colour"] = "green"
    assert kept.loc[0].tolist() == ["red", 1.5, "too small"]


def test_plain_numbers_are_kept_once(frame: pd.DataFrame) -> None:
    table = read_table(frame[["id", "size"]], TableOptions())
    assert table.original is None
    assert (table.levels, len(table.words), table.notes) == ({}, 0, ())
    np.testing.assert_array_equal(table.features, np.array([[101, 1.5], [102, np.nan], [103, 3]]))


def test_more_rows_than_one_block_keep_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hcat_nb.data.reading.table._BLOCK", 4)
    table = read_table(pd.DataFrame({"a": range(10)}), TableOptions())
    assert table.features.ravel().tolist() == list(range(10))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"drop": "ids"}, "drop names the column 'ids'.*nearest: id"),
        ({"text": "remarks"}, "text names the column 'remarks'.*nearest: remark"),
        ({"categorical": ["sizes"]}, "categorical names the column 'sizes'.*nearest: size"),
    ],
)
def test_columns_that_are_not_there(
    frame: pd.DataFrame, options: dict[str, object], message: str
) -> None:
    with pytest.raises(UnknownNameError, match=message):
        read_table(frame, TableOptions(**options))


def test_a_column_is_left_out_or_used(frame: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="'id' is left out and used"):
        read_table(frame, TableOptions(drop="id", categorical="id"))
    with pytest.raises(DataError, match="no feature column"):
        read_table(frame[["id"]], TableOptions(drop="id"))


def test_of_many_columns_only_the_near_ones_are_listed() -> None:
    names = [f"gene{i}" for i in range(99)] + ["tumour"]
    assert nearest_columns("tumor", names) == "one of tumour (nearest: tumour)"
