from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hcat_nb.checks.raw import Raw
from hcat_nb.data.loading import load
from hcat_nb.errors import DataError
from hcat_nb.runs.checking.facts import of_images, of_table, shared_images, shared_rows


def raw(frame: pd.DataFrame, labels: list[int]) -> Raw:
    return Raw(frame, pd.Series(labels), None, frame)


def test_a_table_is_told_with_kinds_missing_cells_and_memory() -> None:
    frame = pd.DataFrame({"a": [1.0, np.nan, 3.0, 5.0], "b": ["x", "?", "x", None]})
    facts, _, skipped = of_table(raw(frame, [0, 1, 0, 1]), None)
    assert facts["columns"] == "1 number, 1 words"
    assert facts["missing cells, and words that may say so"] == {"a": "1", "b": "1", "b '?'": "1"}
    assert any("float32" in one for one in skipped)
    with pytest.raises(DataError, match="4 rows of features, but 3 labels"):
        of_table(raw(frame, [0, 1, 0]), None)


def test_of_many_classes_the_smallest_is_told_too() -> None:
    labels = np.repeat(np.arange(20), np.arange(20) + 11)
    facts, _, _ = of_table(raw(pd.DataFrame({"a": np.arange(len(labels)) % 7}), list(labels)), None)
    assert facts["classes"]["and 8 more, the smallest"] == "11"


def test_images_without_files_and_tables_without_a_frame() -> None:
    images = load(np.zeros((4, 8, 8), np.uint8), [0, 1, 0, 1])
    facts, found, skipped = of_images(images, None)
    assert facts["images"] == "4, read as 1 x 8 x 8"
    assert "4 equal samples have contradicting labels" in found[1].evidence
    assert any("sizes and modes" in one for one in skipped)
    table, _, _ = of_images(load(np.eye(4), [0, 1, 0, 1]), None)
    assert table["columns"] == "4 number"


def test_nothing_can_be_shared_by_data_of_another_kind() -> None:
    frame = pd.DataFrame({"a": np.arange(40) % 9})
    with pytest.raises(DataError, match="no feature of the data"):
        shared_rows(raw(frame, [0, 1] * 20), raw(frame.rename(columns={"a": "b"}), [0, 1] * 20))
    small, large = (load(np.zeros((4, n, n), np.uint8), [0, 1, 0, 1]) for n in (8, 9))
    with pytest.raises(DataError, match="samples of 1 x 9 x 9; expected 1 x 8 x 8"):
        shared_images(small, large)
