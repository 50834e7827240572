"""The immutable dataset: what it refuses, and what it derives."""

from __future__ import annotations

import pandas as pd
import pytest
import torch

from hcat_nb.data.dataset import NO_LABEL, LabelledDataset
from hcat_nb.data.loading import load
from hcat_nb.errors import DataError


def _table(**changes: object) -> LabelledDataset:
    fields = {
        "name": "small",
        "features": torch.arange(8.0).reshape(4, 2),
        "labels": torch.tensor([0, 2, NO_LABEL, 0]),
        "class_values": ("ash", "elm", "oak"),
        "sample_ids": pd.Index(["a", "b", "c", "d"]),
    }
    return LabelledDataset(**{**fields, **changes})


def test_counts_leave_out_unlabelled_and_unreadable_rows() -> None:
    dataset = _table(unreadable=torch.tensor([True, False, False, False]))
    assert dataset.trainable.tolist() == [False, True, False, True]
    assert dataset.class_counts.tolist() == [1, 0, 1]
    assert dataset.n_classes == 3


def test_label_values_are_the_users_own_and_missing_is_nan() -> None:
    values = _table().label_values()
    assert list(values)[:2] == ["ash", "oak"]
    assert pd.isna(values[2])


def test_take_keeps_ids_and_leaves_the_original() -> None:
    dataset = _table()
    part = dataset.take(torch.tensor([1, 3]))
    assert list(part.sample_ids) == ["b", "d"]
    assert part.features.tolist() == [[2.0, 3.0], [6.0, 7.0]]
    assert len(dataset) == 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"features": torch.zeros(4)}, "shape"),
        ({"labels": torch.zeros(3, dtype=torch.int64)}, "labels have the shape"),
        ({"labels": torch.zeros(4, dtype=torch.int32)}, "int32"),
        ({"sample_ids": pd.RangeIndex(3)}, "3 sample ids for 4 samples"),
        ({"labels": torch.tensor([0, 1, 2, 3])}, "no class"),
        ({"features": torch.zeros(4, 1, 2, 2)}, "value_range"),
    ],
)
def test_contradictions_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        _table(**changes)


LABELS = {"labels": torch.tensor([0, 1]), "class_values": (0, 1), "sample_ids": pd.RangeIndex(2)}


def test_a_code_needs_a_level() -> None:
    for code in (2.0, 0.5, -1.0):
        features = torch.tensor([[code, 1.0], [0.0, 1.0]])
        with pytest.raises(DataError, match="column 0 holds a code without a level"):
            LabelledDataset("t", features, **LABELS, levels={0: ("a", "b")})


def test_only_tables_have_categories() -> None:
    with pytest.raises(DataError, match="images with categorical"):
        LabelledDataset(
            "t", torch.zeros(2, 1, 4, 4), value_range=(0, 1), **LABELS, levels={0: ("a",)}
        )


def test_the_original_has_a_row_for_each_sample_and_follows_take() -> None:
    words, text = range(2), pd.DataFrame({"t": ["p", "q"]})
    data = LabelledDataset("t", torch.eye(2), **LABELS, words=words, text="t", original=text)
    assert data.take(torch.tensor([1])).original["t"].tolist() == ["q"]
    with pytest.raises(DataError, match="1 rows of the original for 2 samples"):
        data.replace(original=text.head(1))


def test_columns_are_left_out_with_all_that_speaks_of_them() -> None:
    frame = pd.DataFrame(
        {"id": range(6), "size": ["s", "m", "l"] * 2, "words": ["a bc", "bc d"] * 3}
    )
    whole = load(frame, list("xyxyxy"), text="words", max_features=3)
    part = whole.without(["id"])
    assert part.feature_names == whole.feature_names[1:]
    assert part.levels == {0: ("l", "m", "s")}
    assert part.words == range(1, 4)
    assert list(part.original) == ["size", "words"]
    bare = whole.without(["words", "size"])
    assert (bare.feature_names, bare.levels, bare.words, bare.text) == (("id",), {}, range(0), None)
    assert bare.features[:, 0].tolist() == [0, 1, 2, 3, 4, 5]
    assert _table().without(["0"]).features.tolist() == [[1.0], [3.0], [5.0], [7.0]]
    with pytest.raises(DataError, match=r"no column 'words: bc'; expected .*: id, size, words"):
        whole.without(["words: bc"])
    with pytest.raises(DataError, match="all columns are left out"):
        whole.without(["words", "size", "id"])
