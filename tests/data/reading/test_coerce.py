"""The user's own data: field reports A04 to A12, and what is refused before training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.data.reading.coerce import coerce
from hcat_nb.errors import DataError, SpecError

N = 200
CODES = np.random.default_rng(1).integers(0, 3, N)


def _features() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(N, 4)).astype(np.float32)


def _same(one: LabelledDataset, other: LabelledDataset) -> bool:
    return torch.equal(one.features, other.features) and torch.equal(one.labels, other.labels)


@pytest.mark.parametrize(
    "labels",
    [
        CODES.tolist(),
        tuple(CODES.tolist()),
        CODES.astype(np.uint8),
        torch.tensor(CODES, dtype=torch.int32),
        [torch.tensor(code) for code in CODES],
        pd.Series(CODES),
        np.eye(3)[CODES],
        np.array(["ash", "elm", "oak"])[CODES],
        CODES * 10 + 10,
        CODES.astype(float),
    ],
)
def test_a02_a03_a04_labels_of_any_kind_give_the_same_dataset(labels: Any) -> None:
    reference = coerce(_features(), CODES)
    assert reference.labels.tolist() == CODES.tolist()
    assert _same(coerce(_features(), labels), reference)


@pytest.mark.parametrize(
    "features",
    [
        torch.from_numpy(_features()),
        _features().tolist(),
        list(torch.from_numpy(_features())),
        np.asfortranarray(_features()),
        _features().astype(np.float64),
        pd.DataFrame(_features()),
        torch.from_numpy(_features()).requires_grad_(),
    ],
)
def test_features_of_any_kind_give_the_same_dataset(features: Any) -> None:
    assert _same(coerce(features, CODES), coerce((_features(), CODES)))


def test_a11_a_shuffling_loader_gives_the_dataset_itself() -> None:
    data = TensorDataset(torch.from_numpy(_features()), torch.from_numpy(CODES))
    by_loader = coerce(DataLoader(data, batch_size=32, shuffle=True))
    assert _same(by_loader, coerce(data))
    assert list(by_loader.sample_ids) == list(range(N))


def test_a12_the_index_of_a_frame_becomes_the_ids() -> None:
    frame = pd.DataFrame(_features(), columns=list("abcd")).assign(y=CODES)
    gaps = coerce(frame.iloc[CODES > 0], target="y")
    assert list(gaps.sample_ids) == np.flatnonzero(CODES > 0).tolist()
    repeats = coerce(frame.set_axis(np.arange(N) // 2), target="y")
    assert list(repeats.sample_ids[:4]) == [0, 0, 1, 1]
    assert repeats.feature_names == ("a", "b", "c", "d")


def test_a05_missing_labels_stop_or_are_left_out_or_kept() -> None:
    labels = CODES.astype(float)
    labels[[8, 141]] = np.nan
    with pytest.raises(DataError, match="2 of 200 rows have no label: rows 8, 141"):
        coerce(_features(), labels)
    dropped = coerce(_features(), labels, on_missing_label="drop")
    assert list(dropped.sample_ids) == [i for i in range(N) if i not in (8, 141)]
    assert np.array_equal(dropped.features.numpy(), np.delete(_features(), [8, 141], axis=0))
    kept = coerce(_features(), labels, on_missing_label="keep")
    assert kept.labels[[8, 141]].tolist() == [-1, -1]
    assert int((~kept.trainable).sum()) == 2
    assert kept.class_values == (0.0, 1.0, 2.0)
    assert any("kept unlabelled" in note for note in kept.notes)


def test_a06_bad_rows_stop_or_are_left_out_or_kept() -> None:
    features = _features()
    features[17, 2], features[40, 0] = np.nan, np.inf
    with pytest.raises(DataError, match=r"rows 17 \(column 2: NaN\), 40 \(column 0: infinite\)"):
        coerce(features, CODES)
    dropped = coerce(features, CODES, on_bad_row="drop")
    assert len(dropped) == N - 2
    assert {17, 40}.isdisjoint(dropped.sample_ids)
    assert dropped.unreadable is None
    kept = coerce(features, CODES, on_bad_row="keep")
    assert kept.unreadable is not None
    assert torch.nonzero(kept.unreadable).ravel().tolist() == [17, 40]
    assert kept.features[[17, 40]].abs().sum() == 0
    assert np.isnan(features[17, 2])


def test_both_policies_work_together() -> None:
    features, labels = _features(), CODES.astype(float)
    features[3, 0], labels[5] = np.nan, np.nan
    both = coerce(features, labels, on_bad_row="keep", on_missing_label="drop")
    assert len(both) == N - 1
    assert both.unreadable is not None
    assert torch.nonzero(both.unreadable).ravel().tolist() == [3]


def test_the_users_objects_stay_and_later_changes_do_not_arrive() -> None:
    features, labels = _features(), CODES.copy()
    features[9, 1] = np.nan
    before = features.copy(), labels.copy()
    dataset = coerce(features, labels, on_bad_row="keep")
    assert np.array_equal(features, before[0], equal_nan=True)
    assert np.array_equal(labels, before[1])
    held = dataset.features.clone(), dataset.labels.clone()
    features[:], labels[:] = 7, 0
    assert torch.equal(dataset.features, held[0])
    assert torch.equal(dataset.labels, held[1])


def test_tensors_frames_and_tensor_datasets_are_copied_too() -> None:
    x, y = torch.from_numpy(_features()), torch.from_numpy(CODES.copy())
    frame = pd.DataFrame(_features()).assign(y=CODES)
    frame_before = frame.copy(deep=True)
    datasets = [coerce(x, y), coerce(TensorDataset(x, y)), coerce(frame, target="y")]
    x.zero_()
    y.zero_()
    pd.testing.assert_frame_equal(frame, frame_before)
    frame.iloc[:, :] = 0
    for dataset in datasets:
        assert np.array_equal(dataset.features.numpy(), _features())
        assert dataset.labels.tolist() == CODES.tolist()


def test_a01_a_class_without_a_row_is_counted_as_none() -> None:
    labels = np.array([0, 1, 3, 1])
    dataset = coerce(_features()[:4], labels, classes=[0, 1, 2, 3])
    assert dataset.class_counts.tolist() == [1, 2, 0, 1]
    assert dataset.class_values == (0, 1, 2, 3)


def test_a10_a_class_of_one_row_is_allowed() -> None:
    labels = np.array([0] * 120 + [1] * 79 + [2])
    assert coerce(_features(), labels).class_counts.tolist() == [120, 79, 1]


def test_images_are_read_with_their_range() -> None:
    images = np.random.default_rng(0).integers(0, 256, (N, 8, 8, 3), dtype=np.uint8)
    dataset = coerce(images, CODES)
    assert dataset.sample_shape == (3, 8, 8)
    assert dataset.value_range == (0, 255)
    assert np.array_equal(dataset.features[5, 2].numpy(), images[5, :, :, 2])
    assert not dataset.flip_keeps_label


FRAME = pd.DataFrame({"a": [1.0, 2.0], "y": ["p", "q"]})


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((_features(),), {}, "no labels were given"),
        ((FRAME,), {}, f"no labels were given.*target=.*one of {FRAME.columns[0]}, "),
        ((_features(), np.zeros(N, int)), {}, r"nothing to learn: 1 class \(0\) in 200"),
        ((_features(), CODES[:-1]), {}, "200 rows of features, but 199 labels"),
        ((np.zeros((0, 3)), []), {}, "the dataset is empty"),
        (([], []), {}, "the dataset is empty"),
        ((FRAME.iloc[:0],), {"target": "y"}, "the dataset is empty"),
        ((_features(), [None] * N), {"on_missing_label": "keep"}, "no sample has both"),
        ((_features(), CODES), {"target": "y"}, r"target='y' was given with data .*ndarray"),
        ((FRAME, ["p", "q"]), {"target": "y"}, "both labels and target="),
        ((TensorDataset(torch.eye(2)), [0, 1]), {}, "which has its own"),
        (({"a": 1}, [0, 1]), {}, "the dict is no table.*columns of one length"),
        ((np.arange(4.0), [0, 1, 0, 1]), {}, r"reshape\(-1, 1\)"),
    ],
)
def test_what_cannot_be_trained_is_refused(
    arguments: tuple[Any, ...], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        coerce(*arguments, **options)
    assert "\n" not in str(caught.value)


def test_a09_one_class_counts_only_rows_that_can_be_trained_on() -> None:
    features = np.ones((4, 2))
    features[3, 0] = np.nan
    with pytest.raises(DataError, match=r"nothing to learn: 1 class \('a'\) in 3"):
        coerce(features, ["a", "a", "a", "b"], on_bad_row="keep")


def test_an_unknown_policy_is_refused() -> None:
    with pytest.raises(SpecError, match="on_missing_label is 'skip'"):
        coerce(_features(), CODES, on_missing_label="skip")


def test_missing_numbers_of_an_array_are_imputed_on_request() -> None:
    x = np.array([[1.0, np.nan], [3.0, 4.0], [5.0, 8.0]])
    with pytest.raises(DataError, match=r"row 0 \(column 1: NaN\).*impute=.median"):
        coerce(x, [0, 1, 1])
    data = coerce(x, [0, 1, 1], options={"impute": "mean"})
    assert data.features.tolist() == [[1, 6], [3, 4], [5, 8]]


@pytest.mark.parametrize("wrap", [list, tuple, np.array, pd.Series])
def test_texts_are_read_as_weights_of_words(wrap: Callable[[list[str]], object]) -> None:
    words = {"analyzer": "word"}
    data = coerce(wrap(["card lost", "loan", "card"]), ["a", "b", "a"], options=words)
    assert data.feature_names == ("text: card", "text: loan", "text: lost")
    assert data.text == "text"
    assert data.original is not None
    assert data.original["text"].tolist() == ["card lost", "loan", "card"]


def test_images_have_no_options_of_tables() -> None:
    with pytest.raises(DataError, match=r"options of a table \(impute\) were given with .*ndarray"):
        coerce(np.zeros((2, 8, 8)), [0, 1], options={"impute": 0})


def test_rows_left_out_are_left_out_of_the_original_too() -> None:
    frame = pd.DataFrame({"a": ["x", "y", "z"], "b": [1, np.inf, 2], "y": [0, 0, 1]})
    data = coerce(frame, target="y", on_bad_row="drop")
    assert data.original is not None
    assert data.original["a"].tolist() == ["x", "z"]


def test_columns_of_an_array_are_named_by_their_places():
    array = np.array([[7, 0.5, 1], [5, np.nan, 2], [7, 1.5, 3]])
    data = coerce(array, [0, 1, 1], options={"categorical": 0, "drop": 2, "impute": 9})
    assert data.levels == {0: (5.0, 7.0)}
    assert data.features.tolist() == [[1, 0.5], [0, 9], [1, 1.5]]


def test_rows_that_are_dicts_are_a_table() -> None:
    rows = [{"a": i, "y": "pq"[i % 2]} for i in range(6)]
    data = coerce(rows, target="y")
    assert (data.feature_names, data.class_values) == (("a",), ("p", "q"))
    mixed = coerce([*rows, {"a": "NA", "y": "p"}], target="y", options={"impute": 0})
    assert "taken as missing: a 'NA' 1" in mixed.notes
    assert mixed.features[:, 0].tolist() == [0, 1, 2, 3, 4, 5, 0]


def test_numbers_written_otherwise_are_numbers_in_frames_too() -> None:
    frame = pd.DataFrame({"ph": ["5,0", "6,25", "7", "7,5"] * 5, "y": ["p", "q"] * 10})
    data = coerce(frame, target="y")
    assert not data.levels
    assert data.features[:4, 0].tolist() == [5, 6.25, 7, 7.5]
    assert "'ph': decimal sign ','" in data.notes
    with pytest.raises(DataError, match=r"'1,500'.*decimal=',' or thousands=','"):
        coerce(frame.assign(ph=["1,500", "2,250"] * 10), target="y")
    numbers = coerce(
        frame.assign(ph=["1,500", "2,250"] * 10), target="y", options={"thousands": ","}
    )
    assert numbers.features[:2, 0].tolist() == [1500, 2250]


HALF = "a\ud800"  # as a file name that is no UTF-8 has it


@pytest.mark.parametrize(
    ("data", "labels"),
    [
        (np.zeros((4, 2)), np.array([HALF, "b"] * 2, dtype=object)),
        (pd.DataFrame({"a": range(4)}, index=pd.Index([HALF, *"abc"], dtype=object)), [0, 1] * 2),
        (pd.DataFrame([[1]] * 4, columns=pd.Index([HALF], dtype=object)), [0, 1] * 2),
        ([HALF, "b", "c", "d"], [0, 1] * 2),
    ],
    ids=["class", "id", "column", "text"],
)
def test_half_a_character_is_told_before_training(data: Any, labels: Any) -> None:
    """No file could hold it: the run would be lost when it is saved."""
    with pytest.raises(DataError, match="is no Unicode"):
        coerce(data, labels)


@pytest.mark.parametrize("name", [3, True, HALF, "two\nlines", np.ones(2)])
def test_a_name_is_a_line_of_text(name: Any) -> None:
    with pytest.raises(DataError, match="name is"):
        coerce(np.zeros((4, 2)), [0, 1] * 2, name=name)
