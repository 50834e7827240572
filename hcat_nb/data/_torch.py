"""Torch datasets and loaders as the parts of a dataset."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    SubsetRandomSampler,
    TensorDataset,
    default_collate,
)

from hcat_nb.data._arrays import Parts, as_array, stack
from hcat_nb.data._frozen import drawn_for
from hcat_nb.errors import DataError

__all__ = ["from_dataset", "from_loader"]


def from_dataset(dataset: Dataset[Any], seed: int = 0, rows: np.ndarray | None = None) -> Parts:
    """Read a map-style dataset once, by index, in its own order.

    What its transform draws at random is thereby drawn once, by row and seed;
    hand over the dataset without augmentation to have the samples themselves
    scored.

    Parameters
    ----------
    dataset : torch.utils.data.Dataset
        ``dataset[i]`` is ``(features, label)``; features are a tensor, an
        array, a PIL image or a row of numbers.
    seed : int
        Parent of what a row draws from the global random streams.
    rows : array of shape (m,), optional
        Read these rows only; they become the sample ids.

    Raises
    ------
    DataError
        If rows have no index, no label, differing shapes, or cannot be read.
    """
    import pandas as pd

    if isinstance(dataset, IterableDataset):
        raise DataError(
            f"the rows of {type(dataset).__name__} cannot be identified: it is an IterableDataset",
            "a map-style dataset, with __getitem__ and __len__",
        )
    if not hasattr(dataset, "__len__") or not hasattr(dataset, "__getitem__"):
        raise DataError(f"{type(dataset).__name__} has no length", "__getitem__ and __len__")
    positions = np.arange(len(dataset)) if rows is None else rows
    name = type(dataset).__name__
    ids = None if rows is None else pd.Index(rows)
    if type(dataset) is TensorDataset and len(dataset.tensors) == 2 and rows is None:
        features, labels = dataset.tensors
        array, channels_first, owned = as_array(features)
        return Parts(array, labels, name, ids, channels_first=channels_first, owned=owned)
    labels_read: list[Any] = []
    array, channels_first = stack(_features(dataset, positions, labels_read, seed), len(positions))
    return Parts(array, labels_read, name, ids, channels_first=channels_first, owned=True)


def from_loader(loader: DataLoader[Any], seed: int = 0) -> Parts:
    """Read the dataset under a loader, in dataset order.

    The loader's order, batches, workers and collate function play no part: a
    row's id is its index in the dataset, so shuffling cannot misalign anything.

    Raises
    ------
    DataError
        If the loader picks rows in a way that does not tell which.
    """
    # torch defines IterableDataset's loader to have an internal sampler of its own
    if isinstance(loader.dataset, IterableDataset):
        return from_dataset(loader.dataset, seed)
    batches = loader.batch_sampler
    plain = batches is None or type(batches) is BatchSampler
    sampler = batches.sampler if isinstance(batches, BatchSampler) else loader.sampler
    rows = None
    if plain and type(sampler) is SubsetRandomSampler:
        rows = np.unique(np.asarray(sampler.indices, dtype=np.int64))
    elif not plain or type(sampler) not in (SequentialSampler, RandomSampler):
        culprit = sampler if plain else batches
        raise DataError(
            f"the rows that a {type(culprit).__name__} picks cannot be identified",
            "a loader over a whole dataset, or with a SubsetRandomSampler",
            "hand over the dataset itself: loader.dataset",
        )
    parts = from_dataset(loader.dataset, seed, rows)
    if loader.collate_fn is default_collate or loader.batch_size is None:
        return parts
    note = f"the loader's collate function is not used; rows come from {parts.name}[i]"
    return Parts(**{**vars(parts), "notes": (*parts.notes, note)})


def _features(dataset: Any, positions: np.ndarray, labels: list[Any], seed: int) -> Iterator[Any]:
    """Yield the features of each row and put its label into ``labels``."""
    for position in positions.tolist():
        try:
            with drawn_for(position, seed):
                item = dataset[position]
        except Exception as error:
            raise DataError(
                f"sample {position} of {type(dataset).__name__} cannot be read: "
                f"{type(error).__name__}: {error}"
            ) from error
        if not isinstance(item, (tuple, list)) or len(item) < 2:
            raise DataError(
                f"sample {position} of {type(dataset).__name__} has no label "
                f"(it is a {_shape(item)})",
                "pairs (features, label)",
            )
        if len(item) > 2:
            raise DataError(
                f"sample {position} of {type(dataset).__name__} is a {_shape(item)}",
                "pairs (features, label)",
                "wrap it in a dataset that gives the two",
            )
        labels.append(item[1])
        yield item[0]


def _shape(item: Any) -> str:
    kind = type(item).__name__
    return f"{kind} of {len(item)}" if isinstance(item, (tuple, list, dict)) else kind
