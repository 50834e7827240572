"""Exact duplicates of images, tables and texts; conflicting labels first (field report A14)."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
import torch

from hcat_nb.data import duplicates as module
from hcat_nb.data.duplicates import duplicates
from hcat_nb.data.loading import load
from hcat_nb.errors import DataError


def by_comparison(features, labels):
    """All pairs of equal rows, by comparing each with each: {pair: labels differ}."""
    pairs = itertools.combinations(range(len(features)), 2)
    equal = [(i, j) for i, j in pairs if np.array_equal(features[i], features[j])]
    return {(i, j): labels[i] != labels[j] for i, j in equal}


def pairs_of(found):
    members = [group.index.tolist() for _, group in found.groupby("group")]
    return {pair for group in members for pair in itertools.combinations(sorted(group), 2)}


@pytest.mark.parametrize("shape", [(5,), (1, 6, 6), (3, 5, 5)])
def test_when_every_row_has_a_twin_and_five_pairs_conflict(shape):
    """Field report A14: each row twice, 5 pairs with different labels."""
    rng = np.random.default_rng(0)
    once = rng.integers(0, 256, (100, *shape)).astype(np.uint8 if len(shape) == 3 else np.float64)
    order = rng.permutation(200)
    features, labels = np.concatenate([once, once])[order], np.tile(np.arange(100) % 4, 2)
    labels[[3, 14, 15, 92, 65]] += 1  # of the first copy only
    labels = labels[order]
    found = duplicates(load(features, labels))
    truth = by_comparison(features, labels)
    assert len(truth) == 100
    assert pairs_of(found) == set(truth)
    assert found.conflict.tolist() == [True] * 10 + [False] * 190
    first = [tuple(sorted(found.index[i : i + 2])) for i in range(0, 10, 2)]
    assert set(first) == {pair for pair, differs in truth.items() if differs}
    assert first == sorted(first)  # in the order of the dataset
    assert found.group.tolist() == np.repeat(np.arange(100), 2).tolist()
    assert found["size"].eq(2).all()
    assert found.label.tolist() == labels[found.index].tolist()


def test_groups_of_several_and_labels_as_the_user_wrote_them():
    names = ["oak", "elm", "oak", "oak", "elm", "ash"]
    ids = pd.Index(list("uvwxyz"))
    frame = pd.DataFrame({"a": [1.0, 2.0, 1.0, 5.0, 1.0, 2.0], "b": [0, 1, 0, 7, 0, 1]}, index=ids)
    found = duplicates(load(frame, pd.Series(names, index=ids)))
    assert found.index.tolist() == ["u", "w", "y", "v", "z"]
    assert found["size"].tolist() == [3, 3, 3, 2, 2]
    assert found.label.tolist() == ["oak", "oak", "elm", "elm", "ash"]
    assert found.conflict.all()
    assert found.index.name == "sample_id"
    assert "position" not in found


def test_ids_that_repeat_are_told_apart_by_position():
    frame = pd.DataFrame({"a": [1.0, 2.0, 1.0]}, index=["s", "s", "s"])
    found = duplicates(load(frame, pd.Series([0, 1, 1], index=frame.index)))
    assert found.position.tolist() == [0, 2]


def test_a_dataset_without_duplicates():
    found = duplicates(load([[0.0], [1.0], [2.0]], [0, 1, 0]))
    assert found.empty
    assert list(found.columns) == ["group", "size", "label", "conflict"]


def test_zero_has_no_sign():
    assert len(duplicates(load([[0.0], [-0.0], [2.0]], [0, 1, 0]))) == 2


def test_missing_values_are_equal_and_an_imputed_one_is_not_its_imputation():
    frame = pd.DataFrame(
        {"height": [1.0, np.nan, 3.0, np.nan, 2.0], "kind": ["a", "b", "c", "b", "b"]}
    )
    data = load(
        frame, [0, 1, 0, 0, 1], impute="median"
    )  # rows 1, 3 and 4 are equal once 2.0 is imputed
    assert torch.equal(data.features[1, 0], data.features[4, 0])
    found = duplicates(data)
    assert found.index.tolist() == [1, 3]
    assert found.conflict.all()


def test_missing_categories_and_missing_text_are_values():
    frame = pd.DataFrame({"kind": pd.Categorical(["a", None, None, "a"]), "x": [1.0, 1, 1, 2]})
    assert duplicates(load(frame, [0, 1, 0, 1])).index.tolist() == [1, 2]


def test_texts_are_equal_to_the_letter_and_not_as_bags_of_words():
    texts = ["the card is lost", "lost is the card", "the card is lost", "my card arrived", "Lost"]
    frame = pd.DataFrame({"text": texts})
    data = load(frame, ["a", "b", "b", "a", "b"], text="text")
    assert torch.allclose(data.features[0], data.features[1])  # the same words
    found = duplicates(data)
    assert found.index.tolist() == [0, 2]
    assert found.conflict.all()


def test_a_missing_label_contradicts_none():
    rows = [[1.0], [1.0], [2.0], [2.0], [2.0], [3.0]]
    labels = ["a", None, "a", None, "b", "b"]
    found = duplicates(load(rows, labels, on_missing_label="keep"))
    assert found.index.tolist() == [2, 3, 4, 0, 1]
    assert found.conflict.tolist() == [True, True, True, False, False]
    assert found.label.isna().tolist() == [False, True, False, False, True]


def test_unreadable_rows_are_no_twins_of_each_other():
    rows = [[np.nan, 1.0], [np.inf, 2.0], [0.0, 0.0], [1.0, 1.0], [1.0, 1.0]]
    data = load(np.array(rows), [0, 1, 0, 1, 1], on_bad_row="keep")
    assert not data.readable.all()
    assert duplicates(data).index.tolist() == [3, 4]


def test_blocks_change_nothing(monkeypatch):
    features = np.random.default_rng(0).integers(0, 3, (60, 3)).astype(np.float32)
    data = load(features, np.arange(60) % 3)
    expected = duplicates(data)
    monkeypatch.setattr(module, "_BLOCK", 7)  # two rows at a time
    pd.testing.assert_frame_equal(duplicates(data), expected)
    assert pairs_of(expected) == set(by_comparison(features, data.labels.tolist()))


def test_something_else_than_a_dataset():
    with pytest.raises(DataError, match=r"the dataset is a list; .*hcat\.load"):
        duplicates([1, 2])  # type: ignore[arg-type]


def test_the_flower_that_stands_in_two_classes(shared_data):
    from PIL import Image

    files = sorted((shared_data / "image_folder" / "flowers").glob("*/*.jpg"))
    pictures = np.stack([np.asarray(Image.open(file)) for file in files])
    frame_ids = [f"{file.parent.name}/{file.name}" for file in files]
    data = load(pictures, [file.parent.name for file in files])
    data = data.replace(sample_ids=pd.Index(frame_ids))
    found = duplicates(data)
    assert found.index.tolist() == [
        "rose/15922772266_1167a06620.jpg",
        "tulip/15922772266_1167a06620.jpg",
        *(name for name in frame_ids if "14889392928" in name or "15066430311" in name),
        *(name for name in frame_ids if "15069459615" in name or "15072973261" in name),
    ]
    assert found.conflict.tolist() == [True, True, False, False, False, False]
