"""Torch datasets and loaders as the parts of a dataset."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pickle import Pickler, PicklingError
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.multiprocessing import get_start_method
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    default_collate,
)

from hcat_nb.data.reading.arrays import Parts, as_array, stack
from hcat_nb.data.reading.frozen import drawn_for
from hcat_nb.errors import DataError

# Keys of rows that are dicts.
LABELS = ["label", "labels", "target", "targets", "y", "class", "fine_label"]
_PICTURES = ("image", "img", "images", "pixel_values", "features", "x", "input", "inputs")
_NUMBERS = (int, float, np.generic, Tensor)
_ROWS = 64  # that a worker reads and sends at a time


def from_dataset(
    dataset: Dataset[Any],
    seed: int = 0,
    rows: np.ndarray | None = None,
    *,
    data_on: str = "auto",
    like: DataLoader[Any] | None = None,
    target: Any = None,
) -> Parts:
    """Read a map-style dataset once, by index, in its own order.

    What its transform draws at random is thereby drawn once, by row and seed; hand over the dataset
    without augmentation to have the samples themselves scored.

    ``dataset``: ``dataset[i]`` is ``(features, label)``, or a dict of the two; features are a
    tensor, an array, a PIL image or a row of numbers, of a dict also several numbers; ``seed``:
    parent of what a row draws from the global random streams; ``rows`` (m,): read these rows only;
    they become the sample ids. Those of a Subset are their positions in the dataset that it takes
    them from; ``data_on`` {"auto", "device", "host", "disk"}: where features may lie, as in
    :func:`~hcat_nb.data.placement.allocate`; ``like``: one with workers: as many, started in the
    same way, read the rows; ``target``: of rows that are dicts, the key of the label; default:
    ``label`` and the like.
    """
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
    told: tuple[str, ...] = ()
    if isinstance(dataset, Subset):
        parent: Dataset[Any] = dataset
        places = positions
        while isinstance(parent, Subset):  # of a Subset of a Subset
            places = np.asarray(parent.indices, dtype=np.int64)[places]
            parent = parent.dataset
        ids = pd.Index(places)
        told = (f"sample ids are positions in the {type(parent).__name__} under the Subset",)
    if type(dataset) is TensorDataset and len(dataset.tensors) == 2 and rows is target is None:
        features, labels = dataset.tensors
        array, channels_first, owned = as_array(features)
        return Parts(array, labels, name, ids, channels_first=channels_first, owned=owned)
    labels_read: list[Any] = []
    pairs, note = _pairs(_Rows(dataset, seed, target), positions, like)
    array, channels_first = stack(_features(pairs, labels_read), len(positions), data_on)
    notes = (*told, *([note] if note else []))
    return Parts(
        array, labels_read, name, ids, channels_first=channels_first, owned=True, notes=notes
    )


def plain_order(loader: DataLoader[Any]) -> bool:
    """Whether a loader takes each row of its dataset once, in whatever order."""
    kinds = (SequentialSampler, RandomSampler)
    plain = loader.batch_sampler is None or type(loader.batch_sampler) is BatchSampler
    return plain and type(loader.sampler) in kinds


def from_loader(
    loader: DataLoader[Any], seed: int = 0, data_on: str = "auto", target: Any = None
) -> Parts:
    """Read the dataset under a loader, in dataset order.

    The loader's order, batches and collate function play no part: a row's id is its index in the
    dataset, so shuffling cannot misalign anything. Its workers do: as many processes read the rows,
    each row once.
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
    parts = from_dataset(loader.dataset, seed, rows, data_on=data_on, like=loader, target=target)
    if loader.collate_fn is default_collate or loader.batch_size is None:
        return parts
    note = f"the loader's collate function is not used; rows come from {parts.name}[i]"
    return Parts(**{**vars(parts), "notes": (*parts.notes, note)})


class _Rows(Dataset[Any]):
    """The rows of a dataset as (features, label), or as the error of reading them."""

    def __init__(self, dataset: Any, seed: int, target: Any = None) -> None:
        self._dataset, self._seed, self._target = dataset, seed, target

    def __getitem__(self, position: int) -> tuple[Any, Any] | _Unreadable:
        kind = type(self._dataset).__name__
        try:
            with drawn_for(position, self._seed):
                item = self._dataset[position]
        except Exception as error:
            return _Unreadable(
                f"sample {position} of {kind} cannot be read: {type(error).__name__}: {error}",
                cause=error,
            )
        if isinstance(item, Mapping):
            return self._of_mapping(item, f"sample {position} of {kind}")
        if self._target is not None:
            return _Unreadable(
                f"target={self._target!r} was given, and sample {position} of {kind} is a "
                f"{_shape(item)}",
                "rows that are dicts, or a DataFrame",
                "leave target= out: pairs have their label",
            )
        if not isinstance(item, (tuple, list)) or len(item) < 2:
            return _Unreadable(
                f"sample {position} of {kind} has no label (it is a {_shape(item)})",
                "pairs (features, label)",
            )
        if len(item) > 2:
            return _Unreadable(
                f"sample {position} of {kind} is a {_shape(item)}",
                "pairs (features, label)",
                "wrap it in a dataset that gives the two",
            )
        return item[0], item[1]

    def _of_mapping(self, item: Mapping[Any, Any], what: str) -> tuple[Any, Any] | _Unreadable:
        keys = [self._target] if self._target is not None else LABELS
        label = next((key for key in keys if key in item), None)
        others = [key for key in item if key != label]
        names = ", ".join(map(str, item))
        if label is None:
            return _Unreadable(f"{what} has no label among {names}", "target=, one of them")
        chosen = [key for key in others if key in _PICTURES] if len(others) > 1 else others
        if len(chosen) == 1:
            return item[chosen[0]], item[label]
        values = [item[key] for key in others]
        if values and all(np.ndim(one) == 0 and isinstance(one, _NUMBERS) for one in values):
            return np.array([float(one) for one in values]), item[label]
        return _Unreadable(
            f"{what} holds {names}: which of them are features is not clear",
            "one besides the label, numbers only, or one called image",
            "wrap it in a dataset that gives pairs (features, label)",
        )


class _WorkersRows(_Rows):
    """The same, on their way to another process: tensors as arrays, which take no open file."""

    def __getitem__(self, position: int) -> tuple[Any, Any] | _Unreadable:
        row = super().__getitem__(position)
        if isinstance(row, _Unreadable):
            return replace(row, cause=None)  # it may hold what cannot be sent
        return _packed(row[0]), _packed(row[1])


@dataclass(frozen=True)
class _Unreadable:
    """Why a row cannot be used; an error raised by a worker would arrive as another one."""

    wrong: str
    expected: str | None = None
    remedy: str | None = None
    cause: Exception | None = None


@dataclass(frozen=True, eq=False)
class _Sent:
    """A tensor on its way."""

    array: np.ndarray


def _packed(value: Any) -> Any:
    plain = type(value) is Tensor and value.layout == torch.strided
    if not plain or value.dtype == torch.bfloat16:  # which NumPy does not have
        return value
    return _Sent(value.detach().cpu().numpy())


def _unpacked(value: Any) -> Any:
    return torch.from_numpy(value.array) if isinstance(value, _Sent) else value


def _pairs(
    rows: _Rows, positions: np.ndarray, like: DataLoader[Any] | None
) -> tuple[Iterator[tuple[Any, Any] | _Unreadable], str]:
    """Return the rows as they are read, and a note if the loader's workers could not start."""
    here = (rows[position] for position in positions.tolist())
    if like is None or like.num_workers == 0:
        return here, ""
    note = (
        "rows are read without the loader's workers: {}; what is written in a module (a .py file) "
        "and imported can be sent to them"
    )
    context = like.multiprocessing_context
    how = context.get_start_method() if context is not None else get_start_method()
    if how != "fork" and _is_of_this_session((rows, like.worker_init_fn)):
        return here, note.format(f"a process started by {how} cannot see what a notebook defines")
    reader = DataLoader(
        _WorkersRows(rows._dataset, rows._seed, rows._target),
        batch_size=_ROWS,
        sampler=positions.tolist(),
        num_workers=like.num_workers,
        collate_fn=list,
        prefetch_factor=like.prefetch_factor,
        worker_init_fn=like.worker_init_fn,
        multiprocessing_context=like.multiprocessing_context,
        timeout=like.timeout,
    )
    try:
        batches = iter(reader)
    except (PicklingError, AttributeError, TypeError) as error:  # whatever refuses to be sent
        return here, note.format(" ".join(str(error).split()))
    return _read(batches), ""


def _read(batches: Iterator[list[Any]]) -> Iterator[tuple[Any, Any] | _Unreadable]:
    try:
        for batch in batches:
            for row in batch:
                if isinstance(row, _Unreadable):
                    yield row
                else:
                    yield _unpacked(row[0]), _unpacked(row[1])
    except RuntimeError as error:  # of torch: the process is gone, or too slow for `timeout`
        raise DataError(
            f"a worker of the loader failed: {error}", remedy="hand over a loader without workers"
        ) from error


class _Names(Pickler):
    """Looks at the classes and functions of what would be sent: were some typed in here."""

    found = False

    def reducer_override(self, value: Any) -> Any:
        self.found |= getattr(value, "__module__", "") == "__main__"
        return NotImplemented


def _is_of_this_session(sent: Any) -> bool:
    """Whether another process could not import what is sent: it was typed in here."""
    if hasattr(sys.modules["__main__"], "__file__"):
        return False
    names = _Names(_Nowhere())
    with suppress(PicklingError, AttributeError, TypeError, RuntimeError):  # starting tells why
        names.dump(sent)
    return names.found


class _Nowhere:
    """A file that keeps nothing: data may be large."""

    def write(self, _part: bytes) -> None:
        """Take a part."""


def _features(pairs: Iterator[tuple[Any, Any] | _Unreadable], labels: list[Any]) -> Iterator[Any]:
    """Yield the features of each row and put its label into ``labels``."""
    for pair in pairs:
        if isinstance(pair, _Unreadable):
            raise DataError(pair.wrong, pair.expected, pair.remedy) from pair.cause
        labels.append(pair[1])
        yield pair[0]


def _shape(item: Any) -> str:
    kind = type(item).__name__
    return f"{kind} of {len(item)}" if isinstance(item, (tuple, list, dict)) else kind
