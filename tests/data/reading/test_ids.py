"""What samples are called (A56)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.data import DataLoader, Subset, TensorDataset, random_split

from hcat_nb.data.loading import load
from hcat_nb.errors import DataError

N = 40
INDEX = np.random.default_rng(0).permutation(500)[:N]
Y = pd.Series(["oak", "elm"] * (N // 2), index=INDEX)
X = np.random.default_rng(1).normal(size=(N, 3))


@pytest.mark.parametrize(
    "data",
    [
        X,
        torch.tensor(X),
        X.tolist(),
        {"a": X[:, 0], "b": X[:, 1]},
        [f"text {row % 7}" for row in range(N)],
    ],
    ids=["array", "tensor", "list", "dict", "texts"],
)
def test_the_index_of_labels_beside_data_without_names_are_the_ids(data: Any) -> None:
    for made in (load(data, Y), load((data, Y))):
        assert made.sample_ids.tolist() == INDEX.tolist()
        told = [note for note in made.notes if note.startswith("sample ids are the index")]
        assert len(told) == 1
        assert str(INDEX[0]) in told[0]


def test_an_index_that_says_no_more_than_positions_is_not_told() -> None:
    made = load(X, Y.reset_index(drop=True))
    assert made.sample_ids.tolist() == list(range(N))
    assert made.notes == ()


def test_truth_and_groups_with_that_index_are_taken() -> None:
    made = load(X, Y, truth=Y, groups=Y)
    assert made.sample_ids.tolist() == INDEX.tolist()
    with pytest.raises(DataError, match="another index"):
        load(X, Y, truth=Y.reset_index(drop=True))


@pytest.mark.parametrize(
    ("frame", "remedy"),
    [
        (pd.DataFrame(X), lambda frame, labels: (frame.set_axis(labels.index), labels)),
        (
            pd.DataFrame(X, index=INDEX[::-1]),
            lambda frame, labels: (frame, labels.loc[frame.index]),
        ),
    ],
    ids=["set_axis", "loc"],
)
def test_the_remedy_for_two_indices_is_right(frame: pd.DataFrame, remedy: Any) -> None:
    named = "frame.set_axis" if isinstance(frame.index, pd.RangeIndex) else "labels.loc"
    with pytest.raises(DataError, match=f"another index.*{named}"):
        load(frame, Y)
    made = load(*remedy(frame, Y))
    assert dict(zip(made.sample_ids, made.label_values(), strict=True)) == Y.to_dict()


def test_subsets_keep_the_positions_of_their_parent() -> None:
    whole = TensorDataset(torch.arange(50.0)[:, None], torch.arange(50) % 2)
    part, rest = random_split(whole, [20, 30], generator=torch.Generator().manual_seed(0))
    for data in (part, DataLoader(part, batch_size=4, shuffle=True)):
        made = load(data)
        assert made.sample_ids.tolist() == list(part.indices) == made.features[:, 0].tolist()
    inner = load(Subset(rest, [7, 2, 9]))
    assert inner.sample_ids.tolist() == inner.features[:, 0].tolist()
    assert inner.notes == ("sample ids are positions in the TensorDataset under the Subset",)


@pytest.mark.parametrize(
    "data",
    [
        (X[:4], pd.Series([0, 1, 0, 1], index=[5, 6, 6, 7])),
        (pd.DataFrame(X[:4], index=[5, 6, 6, 7]), [0, 1, 0, 1]),
        (Subset(TensorDataset(torch.eye(8), torch.arange(8) % 2), [5, 6, 6, 7]), None),
    ],
    ids=["labels", "frame", "subset"],
)
def test_ids_that_repeat_are_told_wherever_they_enter(data: Any) -> None:
    made = load(*data)
    assert made.sample_ids.tolist() == [5, 6, 6, 7]
    assert any("1 sample id occurs more than once (6)" in note for note in made.notes)


def test_ids_that_no_file_keeps_are_refused() -> None:
    with pytest.raises(DataError, match="several types"):
        load(X[:4], pd.Series([0, 1, 0, 1], index=[1, "a", 2, "b"]))
