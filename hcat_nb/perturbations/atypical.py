"""Atypical: one feature takes a value from the far end of its distribution.

Source: Seedat et al. 2024 (H-CAT), arXiv 2403.04551 (the largest 1 % of
Elevation for cover, num_medications for diabetes, timePrtctg for eye).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Self

import numpy as np
import torch
from torch import Tensor

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.errors import DataError
from hcat_nb.perturbations._strength import Strength, checked, drawn, levels
from hcat_nb.perturbations._tables import column_index, column_name, numeric_columns
from hcat_nb.perturbations.base import H_CAT, Perturbation

PUBLISHED_COLUMNS = ("Elevation", "num_medications", "timePrtctg")


@dataclass(frozen=True)
class Atypical(Perturbation):
    """One feature's value replaced by one drawn from the upper tail of its marginal.

    Samples that lie in the tail by themselves are atypical already, and are
    not drawn.

    Parameters
    ----------
    column : str or int, optional
        Name or position.  Default: H-CAT's column where the table has one of
        them, else the column whose tail lies furthest out: largest (mean of
        the tail - median) / standard deviation.  ``settle(dataset, seed).column``
        and the dataset's notes say which it is.
    strength : float or list of float
        Share of the marginal that counts as tail.
    """

    name: ClassVar[str] = "atypical"
    title: ClassVar[str] = "Atypical: a feature's extreme value"
    family: ClassVar[Literal["atypical"]] = "atypical"
    modality: ClassVar[frozenset[Literal["image", "table"]]] = frozenset({"table"})
    paper: ClassVar[str] = H_CAT
    cost: ClassVar[str] = "a copy of the features"

    column: str | int | None = None
    strength: Strength = 0.01

    def __post_init__(self) -> None:
        object.__setattr__(self, "strength", checked(self.strength, "strength", 0.0, 1.0))

    def check(self, dataset: LabelledDataset) -> None:
        """Raise DataError if the table has no numeric column, or the column no tail."""
        super().check(dataset)
        index = self._index(dataset)
        if index in dataset.levels or index in dataset.words:
            raise DataError(
                f"column {column_name(dataset, index)!r} is no column of numbers",
                "one of many values, which have a tail",
                "choose another with column=",
            )
        if not self.eligible(dataset).any():
            name = column_name(dataset, index)
            raise DataError(
                f"no value of {name!r} lies below the upper tail of {max(levels(self.strength)):g}",
                "a column of many values",
                "choose another with column=, or a smaller strength",
            )

    def settle(self, dataset: LabelledDataset, seed: int) -> Self:
        """Return this with its column decided."""
        index = self._index(dataset)
        return replace(
            self, column=index if dataset.feature_names is None else dataset.feature_names[index]
        )

    def eligible(self, dataset: LabelledDataset) -> Tensor:
        """Return the samples below the tail."""
        index = self._index(dataset)
        start = _tail(_values(dataset, index), max(levels(self.strength)))[0]
        return dataset.trainable & (dataset.features[:, index] < float(start))

    def change(
        self, dataset: LabelledDataset, chosen: Tensor, rng: np.random.Generator
    ) -> tuple[LabelledDataset, np.ndarray]:
        """Draw a value of the tail for each chosen sample."""
        index = self._index(dataset)
        values = _values(dataset, index)
        strength = drawn(self.strength, len(chosen), rng)
        positions = rng.random(len(chosen))
        atypical = np.empty(len(chosen), dtype=np.float32)
        for share in levels(self.strength):
            rows, tail = strength == share, _tail(values, share)
            atypical[rows] = tail[(positions[rows] * len(tail)).astype(np.int64)]
        features = dataset.copied_features()
        features[chosen, index] = torch.from_numpy(atypical)
        note = f"atypical: values of {column_name(dataset, index)!r} replaced"
        return dataset.replace(features=features, notes=(*dataset.notes, note)), strength

    def _index(self, dataset: LabelledDataset) -> int:
        if self.column is not None:
            return column_index(dataset, self.column, "column")
        names = dataset.feature_names or ()
        for published in PUBLISHED_COLUMNS:
            if published in names:
                return names.index(published)
        columns = numeric_columns(dataset, self.name)
        reach = []
        for column in columns:
            values = _values(dataset, column.index)
            tail = _tail(values, max(levels(self.strength)))
            reach.append((tail.mean(dtype=np.float64) - np.median(values)) / column.std)
        return columns[int(np.argmax(reach))].index


def _values(dataset: LabelledDataset, index: int) -> np.ndarray:
    values: np.ndarray = dataset.features[:, index][dataset.readable].numpy()
    return values


def _tail(values: np.ndarray, share: float) -> np.ndarray:
    """Return the largest ``share`` of the values, one at least, in ascending order.

    >>> _tail(np.array([3.0, 9.0, 1.0, 8.0]), 0.5).tolist()
    [8.0, 9.0]
    """
    count = max(1, math.floor(share * len(values)))
    ordered: np.ndarray = np.sort(values)
    return ordered[-count:]
