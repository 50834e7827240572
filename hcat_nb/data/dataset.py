"""The immutable labelled dataset that every stage works on."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from hcat_nb.data.placement import copied, taken
from hcat_nb.data.reading.label_kinds import kind_of
from hcat_nb.errors import DataError

NO_LABEL = -1  # code of a row whose label is missing


@dataclass(frozen=True, eq=False)
class LabelledDataset:
    """Features, labels and stable sample ids.

    Nothing writes into the tensors; whatever changes a dataset makes a new
    one with :meth:`replace`.

    Parameters
    ----------
    name : str
        What the dataset is called in tables and on charts.
    features : Tensor
        Images, uint8 or float32 of shape (n, channels, height, width), or a
        numeric table, float32 of shape (n, columns).
    labels : Tensor of shape (n,), int64
        Class codes ``0 .. n_classes - 1``, or ``NO_LABEL`` (-1).
    class_values : tuple
        The user's own value of each class, by code: int, str, bool or float.
    sample_ids : pandas.Index of length n
        The user's index; names a sample in every table.
    value_range : tuple of float, optional
        Images only: the smallest and largest valid pixel value.
    feature_names : tuple of str, optional
        Tables only: the columns.
    unreadable : Tensor of shape (n,), bool, optional
        Rows kept although they hold NaN or infinity (their features are 0
        here): never trained on, never scored.
    flip_keeps_label : bool
        Images only: whether a mirrored image is of the same class.
    notes : tuple of str
        What was done to the data on the way in, for the run's summary.
    levels : mapping of int to tuple
        Tables only: position of each categorical column, and what its codes
        ``0, 1, ...`` in ``features`` stand for.
    words : range
        Tables only: positions of columns that are TF-IDF weights of a text.
    text : str, optional
        Column of ``original`` that holds these texts.
    original : pandas.DataFrame, optional
        Tables with text, categories or imputed numbers: the feature columns
        as they were given, for display.  Perturbations do not touch it.
    groups : Tensor of shape (n,), int64, optional
        Which rows belong together (those of a patient, of an author): codes
        from 0, -1 for a row that belongs to none.  They share a fold.
    weights : Tensor of shape (n,), float32, optional
        Weight of each row's loss in training, above 0; only ratios matter.
    truth : array of shape (n,), object, optional
        What the user knows of each sample: its true label, or whether the
        observed one is wrong; None where nothing is known.
    mapped : bool
        Whether ``features`` lie in a memory-mapped file, and copies of them should.
    mended : object, optional
        Of data that decisions changed: what :meth:`export` writes.
    files : tuple of str, optional
        Images only: the file of each, for display.
    offsets : mapping of int to float
        Tables only: what was taken off columns whose values would be equal in
        float32, by their place; :meth:`numbers` adds it back.

    Raises
    ------
    DataError
        If shapes, dtypes or codes contradict each other.
    """

    name: str
    features: Tensor
    labels: Tensor
    class_values: tuple[Any, ...]
    sample_ids: pd.Index
    value_range: tuple[float, float] | None = None
    feature_names: tuple[str, ...] | None = None
    unreadable: Tensor | None = None
    flip_keeps_label: bool = False
    notes: tuple[str, ...] = ()
    levels: Mapping[int, tuple[Any, ...]] = field(default_factory=dict)
    words: range = range(0)
    text: str | None = None
    original: pd.DataFrame | None = None
    groups: Tensor | None = None
    weights: Tensor | None = None
    truth: np.ndarray | None = None
    mapped: bool = False
    mended: Any = None
    files: tuple[str, ...] | None = None
    offsets: Mapping[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = len(self.features)
        if not (isinstance(self.name, str) and self.name.isprintable()):
            raise DataError(f"name is {self.name!r}", "what the data are called, in a line")
        if self.features.dim() not in (2, 4):
            raise DataError(
                f"features have the shape {tuple(self.features.shape)}",
                "(n, columns) or (n, channels, height, width)",
            )
        if self.labels.shape != (n,) or self.labels.dtype != torch.int64:
            raise DataError(
                f"labels have the shape {tuple(self.labels.shape)} and type {self.labels.dtype}",
                f"({n},) and torch.int64",
            )
        for what, beside in (("groups", self.groups), ("weights", self.weights)):
            if beside is not None and beside.shape != (n,):
                raise DataError(f"{len(beside)} {what} for {n} samples", "one each")
        if len(self.sample_ids) != n:
            raise DataError(f"{len(self.sample_ids)} sample ids for {n} samples", "one each")
        if n and not (
            NO_LABEL <= int(self.labels.min()) <= int(self.labels.max()) < self.n_classes
        ):
            raise DataError("a label code has no class", f"codes in [-1, {self.n_classes})")
        if self.modality == "image" and self.value_range is None:
            raise DataError("images without a value_range", "(smallest, largest) pixel value")
        if self.levels or self.words:
            self._check_columns()

    def __len__(self) -> int:
        return len(self.features)

    def __repr__(self) -> str:
        shape = " x ".join(str(size) for size in self.sample_shape)
        kind = "images" if self.modality == "image" else "columns"
        return f"<{self.name}: {len(self):,} samples of {shape} {kind}, {self.n_classes} classes>"

    @property
    def modality(self) -> str:
        """``"image"`` or ``"table"``."""
        return "image" if self.features.dim() == 4 else "table"

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Shape of one sample's features."""
        return tuple(self.features.shape[1:])

    @property
    def encoded_shape(self) -> tuple[int, ...]:
        """Shape of one sample as a network sees it: an indicator for each level."""
        if not self.levels:
            return self.sample_shape
        added = sum(len(levels) - 1 for levels in self.levels.values())
        return (self.sample_shape[0] + added,)

    @property
    def n_classes(self) -> int:
        """Number of classes, those without a sample included."""
        return len(self.class_values)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Each class's value as text, by code."""
        return tuple(str(value) for value in self.class_values)

    @property
    def trainable(self) -> Tensor:
        """Tensor of shape (n,), bool: rows with a label and readable features."""
        return (self.labels != NO_LABEL) & self.readable

    @property
    def readable(self) -> Tensor:
        """Tensor of shape (n,), bool: rows that can be scored at all."""
        if self.unreadable is None:
            return torch.ones(len(self), dtype=torch.bool)
        return ~self.unreadable

    @property
    def class_counts(self) -> Tensor:
        """Tensor of shape (n_classes,), int64: trainable samples of each class."""
        return torch.bincount(self.labels[self.trainable], minlength=self.n_classes)

    def label_values(self, codes: Tensor | np.ndarray | None = None) -> pd.Categorical:
        """Return codes (default: the labels) as the user's own class values.

        A missing label becomes NaN.
        """
        chosen = self.labels if codes is None else codes
        if isinstance(chosen, Tensor):
            chosen = chosen.cpu().numpy()
        return pd.Categorical.from_codes(chosen, categories=pd.Index(list(self.class_values)))

    def replace(self, **changes: Any) -> LabelledDataset:
        """Return a copy with some fields changed; tensors not named are shared."""
        return dataclasses.replace(self, **changes)

    def numbers(self, rows: Any = slice(None)) -> np.ndarray:
        """Return the features of some rows of a table as they were given: (m, columns), float64."""
        values: np.ndarray = self.features[rows].double().numpy()
        for place, offset in self.offsets.items():
            values[:, place] += offset
        return values

    def with_classes(self, values: Sequence[Any]) -> LabelledDataset:
        """Return the dataset with these classes, in this order.

        Parameters
        ----------
        values : sequence
            All class values of the dataset, and others that no sample has.
        """
        place = {(kind_of(type(one)), one): code for code, one in enumerate(values)}
        table = torch.tensor([*(place[kind_of(type(one)), one] for one in self.class_values), -1])
        return self.replace(labels=table[self.labels], class_values=tuple(values))

    def take(self, rows: Tensor) -> LabelledDataset:
        """Return the dataset of these rows only, ids kept.

        Parameters
        ----------
        rows : Tensor of shape (m,), int64
            Positions, without repetition.
        """
        features, mapped = (
            taken(self.features, rows) if self.mapped else (self.features[rows], False)
        )
        return self.replace(
            features=features,
            mapped=mapped,
            labels=self.labels[rows],
            sample_ids=self.sample_ids[rows.numpy()],
            unreadable=None if self.unreadable is None else self.unreadable[rows],
            groups=None if self.groups is None else self.groups[rows],
            weights=None if self.weights is None else self.weights[rows],
            original=None if self.original is None else self.original.iloc[rows.numpy()],
            truth=None if self.truth is None else self.truth[rows.numpy()],
            files=None if self.files is None else tuple(self.files[row] for row in rows.tolist()),
        )

    def export(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write data that ``run.apply()`` mended in the format that they came in.

        See :meth:`hcat_nb.runs.review.export.Mended.export`.

        Raises
        ------
        DataError
            If no decisions were applied, or the data came as no file.
        """
        if self.mended is None:
            raise DataError(
                f"{self.name!r} cannot be written as it came",
                "data of run.apply(), read from a file or a folder",
                "label_values() are its labels, in the order of sample_ids",
            )
        written: Path = self.mended.export(path, overwrite=overwrite)
        return written

    def without(self, names: Collection[str]) -> LabelledDataset:
        """Return a table without some of its columns; a text goes with all its terms.

        Raises
        ------
        DataError
            If there is no such column, or none is left.
        """
        known = self.feature_names or tuple(map(str, range(self.sample_shape[0])))
        columns = [*(known[at] for at in range(len(known)) if at not in self.words), self.text]
        if unknown := [name for name in names if name not in columns or self.modality == "image"]:
            listed = ", ".join(map(str, filter(None, columns[:20])))
            raise DataError(f"there is no column {unknown[0]!r}", f"columns of a table: {listed}")
        words = range(0) if self.text in names else self.words
        left = [
            at
            for at, name in enumerate(known)
            if (at in words if at in self.words else name not in names)
        ]
        if not left:
            raise DataError("all columns are left out", "at least one feature")
        start = len(left) - len(words)
        return self.replace(
            features=self.features[:, left],
            feature_names=tuple(known[at] for at in left),
            levels={left.index(at): found for at, found in self.levels.items() if at in left},
            offsets={left.index(at): value for at, value in self.offsets.items() if at in left},
            words=range(start, len(left)) if words else words,
            text=self.text if words else None,
            original=None if self.original is None else self.original.drop(columns=list(names)),
            mapped=False,
        )

    def copied_features(self) -> Tensor:
        """Return a copy of the features that may be written to, in a file if these are in one."""
        return copied(self.features, "disk") if self.mapped else self.features.clone()

    def _check_columns(self) -> None:
        if self.modality != "table":
            raise DataError("images with categorical or text columns", "a table")
        if self.original is not None and len(self.original) != len(self):
            raise DataError(
                f"{len(self.original)} rows of the original for {len(self)} samples", "one each"
            )
        for column, levels in self.levels.items():
            codes = self.features[:, column]
            known = (codes == codes.floor()) & (codes >= 0) & (codes < len(levels))
            if not known.all():
                raise DataError(
                    f"column {column} holds a code without a level",
                    f"codes in [0, {len(levels)})",
                )
