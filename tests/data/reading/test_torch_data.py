"""Torch datasets and loaders: field report A11."""

from __future__ import annotations

import os
import random
import sys
import types
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    IterableDataset,
    SequentialSampler,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
)

from hcat_nb.data.reading.torch_data import from_dataset, from_loader
from hcat_nb.errors import DataError

X = torch.arange(12.0).reshape(6, 2)
Y = torch.tensor([0, 1, 0, 1, 0, 1])


class Pictures(Dataset[Any]):
    def __init__(self, items: list[Any]) -> None:
        self.items = items
        self.asked: list[int] = []

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Any:
        self.asked.append(index)
        return self.items[index]


class Stream(IterableDataset[Any]):
    def __iter__(self) -> Iterator[Any]:
        return iter([(X[0], 0)])


def test_every_row_is_read_once_in_order() -> None:
    dataset = Pictures([(Image.new("RGB", (5, 4), (i, 0, 0)), f"class {i % 2}") for i in range(4)])
    parts = from_dataset(dataset)
    assert dataset.asked == [0, 1, 2, 3]
    assert parts.features.shape == (4, 3, 4, 5)
    assert parts.features[:, 0, 0, 0].tolist() == [0, 1, 2, 3]
    assert parts.labels == ["class 0", "class 1", "class 0", "class 1"]
    assert parts.name == "Pictures"


def test_a_tensor_dataset_is_taken_as_a_whole_and_equals_the_reading_by_index() -> None:
    whole = from_dataset(TensorDataset(X, Y))
    one_by_one = from_dataset(Pictures([(x, y) for x, y in zip(X, Y, strict=True)]))
    assert np.array_equal(whole.features, one_by_one.features)
    assert whole.labels.tolist() == [int(label) for label in one_by_one.labels]


def test_a_shuffling_loader_is_read_in_dataset_order() -> None:
    loader = DataLoader(TensorDataset(X, Y), batch_size=4, shuffle=True, drop_last=True)
    parts = from_loader(loader)
    assert torch.equal(torch.from_numpy(parts.features), X)
    assert torch.equal(parts.labels, Y)
    assert parts.ids is None


def test_a_loader_over_a_subset_names_the_rows_of_the_dataset() -> None:
    loader = DataLoader(TensorDataset(X, Y), sampler=SubsetRandomSampler([4, 1, 3]))
    parts = from_loader(loader)
    assert parts.ids is not None
    assert list(parts.ids) == [1, 3, 4]
    assert np.array_equal(parts.features, X[[1, 3, 4]].numpy())


def test_a_batch_sampler_hides_no_sampler() -> None:
    sampler = BatchSampler(SubsetRandomSampler([5, 2]), 2, drop_last=False)
    parts = from_loader(DataLoader(TensorDataset(X, Y), batch_sampler=sampler))
    assert parts.ids is not None
    assert list(parts.ids) == [2, 5]


def test_a_collate_function_of_the_users_own_is_said_to_be_unused() -> None:
    loader = DataLoader(TensorDataset(X, Y), collate_fn=lambda rows: rows)
    assert "collate" in from_loader(loader).notes[0]
    assert not from_loader(DataLoader(TensorDataset(X, Y))).notes


class Pairs(BatchSampler):
    """Batches that only the user understands."""


@pytest.mark.parametrize(
    ("loader", "culprit"),
    [
        (DataLoader(Stream()), "Stream"),
        (DataLoader(TensorDataset(X, Y), sampler=WeightedRandomSampler([1.0] * 6, 6)), "Weighted"),
        (
            DataLoader(TensorDataset(X, Y), batch_sampler=Pairs(SequentialSampler(X), 2, False)),
            "Pairs",
        ),
    ],
)
def test_a_loader_whose_rows_cannot_be_identified_is_refused(
    loader: DataLoader[Any], culprit: str
) -> None:
    with pytest.raises(DataError, match=f"{culprit}.* cannot be identified") as caught:
        from_loader(loader)
    assert "\n" not in str(caught.value)


class NoLength(Dataset[Any]):
    def __getitem__(self, index: int) -> Any:
        return X[index], 0


class Broken(Pictures):
    def __getitem__(self, index: int) -> Any:
        if index == 2:
            raise OSError("truncated file")
        return super().__getitem__(index)


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (Stream(), "IterableDataset"),
        (NoLength(), "NoLength has no length"),
        (TensorDataset(X), "sample 0 of TensorDataset has no label"),
        (Pictures([X[0], X[1]]), r"sample 0 of Pictures has no label \(it is a Tensor\)"),
        (Pictures([(X[0], 0, 0)]), "tuple of 3"),
        (Pictures([{"image": X[0], "kind": 0}]), "no label among image, kind.*target="),
        (Broken([(x, 0) for x in X]), "sample 2 of Broken cannot be read: OSError: truncated file"),
    ],
)
def test_items_of_another_form_are_refused(dataset: Dataset[Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        from_dataset(dataset)


class Drawn(Dataset[Any]):
    """Random rows, by the global streams; one of them can be made to fail."""

    def __init__(self, bad: int | None = None, item: Any = None) -> None:
        self.bad, self.item = bad, item

    def __len__(self) -> int:
        return 150

    def __getitem__(self, row: int) -> Any:
        if row == self.bad:
            if self.item is not None:
                return self.item
            raise OSError("no such picture")
        noise = np.random.normal(size=3) + random.random()  # noqa: NPY002 (the global stream)
        return torch.rand(3) + torch.from_numpy(noise), torch.tensor(row % 2)


def test_workers_read_what_one_process_reads() -> None:
    alone = from_loader(DataLoader(Drawn()), seed=5)
    together = from_loader(DataLoader(Drawn(), num_workers=2), seed=5)
    np.testing.assert_array_equal(together.features, alone.features)
    assert together.features.dtype == alone.features.dtype
    assert together.channels_first == alone.channels_first
    assert [int(one) for one in together.labels] == [int(one) for one in alone.labels]
    assert not np.array_equal(from_loader(DataLoader(Drawn()), seed=6).features, alone.features)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize(
    ("item", "words"),
    [
        (None, "sample 140 of Drawn cannot be read: OSError: no such picture"),
        (torch.zeros(3), "sample 140 of Drawn has no label"),
        ((1, 2, 3), "sample 140 of Drawn is a tuple of 3"),
        ((torch.zeros(4), 1), "samples 0 and 140 have the shapes"),
    ],
)
def test_a_faulty_row_is_named_whoever_reads_it(workers: int, item: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        from_loader(DataLoader(Drawn(140, item), num_workers=workers))


class Dying(Drawn):
    def __getitem__(self, row: int) -> Any:
        if row == 100:
            os._exit(1)
        return super().__getitem__(row)


def test_a_worker_that_dies_is_reported() -> None:
    with pytest.raises(DataError, match="a worker of the loader failed"):
        from_loader(DataLoader(Dying(), num_workers=1))


def test_rows_of_half_precision_come_through_workers() -> None:
    class Half(Drawn):
        def __getitem__(self, row: int) -> Any:
            return torch.full((2,), row, dtype=torch.bfloat16), row % 2

    parts = from_loader(DataLoader(Half(), num_workers=1))
    np.testing.assert_array_equal(parts.features[:3, 0], [0, 1, 2])


def test_rows_that_are_dicts_have_their_label_by_its_key() -> None:
    rows: list[Any] = [{"pixel_values": X[i], "label": i % 2, "page": i} for i in range(4)]
    for parts in (from_dataset(Pictures(rows)), from_loader(DataLoader(Pictures(rows)))):
        assert (parts.features.tolist(), parts.labels) == (X[:4].tolist(), [0, 1, 0, 1])
    assert from_dataset(Pictures(rows), target="page").labels == [0, 1, 2, 3]
    numbers: list[Any] = [{"a": i, "b": 2.5, "kind": "pq"[i % 2]} for i in range(4)]
    parts = from_dataset(Pictures(numbers), target="kind")
    assert (parts.features.tolist(), parts.labels[1]) == ([[i, 2.5] for i in range(4)], "q")
    with pytest.raises(DataError, match="which of them are features is not clear"):
        from_dataset(Pictures([{"a": X[0], "b": X[1], "label": 0}]))
    with pytest.raises(DataError, match=r"target='y' was given.*leave target= out"):
        from_dataset(Pictures([(X[0], 0)]), target="y")


def test_a64_what_a_notebook_defines_is_read_without_workers_and_told(monkeypatch):
    """A process started by spawn imports what it is sent; a notebook cannot be imported."""
    monkeypatch.setattr(Drawn, "__module__", "__main__")
    monkeypatch.setitem(sys.modules, "__main__", types.ModuleType("__main__"))
    sys.modules["__main__"].Drawn = Drawn
    for context in ("spawn", "forkserver"):
        loader = DataLoader(Drawn(), num_workers=2, multiprocessing_context=context)
        parts = from_loader(loader, seed=5)
        assert "without the loader's workers" in parts.notes[0]
        assert context in parts.notes[0]
        assert np.array_equal(parts.features, from_dataset(Drawn(), seed=5).features)


def test_a64_what_cannot_be_sent_is_read_without_workers_and_told():
    class Local(Drawn):
        pass

    loader = DataLoader(Local(), num_workers=1, multiprocessing_context="spawn")
    parts = from_loader(loader, seed=5)
    assert "without the loader's workers" in parts.notes[0]
    assert np.array_equal(parts.features, from_dataset(Drawn(), seed=5).features)
