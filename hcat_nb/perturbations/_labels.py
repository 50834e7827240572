"""What all kinds of label noise share: a transition matrix, and how labels are drawn from it.

Which rows flip is drawn for all kinds alike: :mod:`hcat_nb.perturbations._chosen_rows`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.errors import DataError, SpecError
from hcat_nb.perturbations.base import H_CAT, Perturbation


@dataclass(frozen=True)
class LabelNoise(Perturbation):
    """Gives samples a wrong label by a matrix ``T[original, observed]``.

    A subclass says in :meth:`transition` how likely each wrong class is.  The
    diagonal is zero, so each chosen label truly changes; a class whose row is
    all zero never flips, and its samples are not eligible.
    """

    family: ClassVar[Literal["mislabel"]] = "mislabel"
    modality: ClassVar[frozenset[Literal["image", "table"]]] = frozenset({"image", "table"})
    paper: ClassVar[str] = H_CAT
    cost: ClassVar[str] = "a copy of the labels"

    @abstractmethod
    def transition(self, dataset: LabelledDataset) -> np.ndarray:
        """Return the transition matrix, once settled.

        Returns (n_classes, n_classes) float64: row: original class. Diagonal 0; each row sums to 1,
        or to 0 where the class never flips.
        """

    def check(self, dataset: LabelledDataset) -> None:
        """Raise DataError if there are no two classes to mix up."""
        super().check(dataset)
        if populated(dataset).sum() < 2:
            raise DataError(
                f"{dataset.name!r} has samples of {int(populated(dataset).sum())} class",
                f"samples of at least two classes, for {self.name!r} to mix up",
            )

    def eligible(self, dataset: LabelledDataset) -> Tensor:
        """Return the samples whose class can flip."""
        flips = torch.from_numpy(self.transition(dataset).sum(axis=1) > 0)
        return dataset.trainable & flips[dataset.labels.clamp(min=0)]

    def change(
        self, dataset: LabelledDataset, chosen: Tensor, rng: np.random.Generator
    ) -> tuple[LabelledDataset, float]:
        """Draw a wrong label for each chosen sample; label noise has no strength (NaN)."""
        originals = dataset.labels[chosen].numpy()
        observed = _draw(self.transition(dataset), originals, rng)
        labels = dataset.labels.clone()
        labels[chosen] = torch.from_numpy(observed)
        return dataset.replace(labels=labels), float("nan")


def populated(dataset: LabelledDataset) -> np.ndarray:
    """Return which classes have a trainable sample: (n_classes,), bool.

    Where nobody says otherwise, labels only flip to these.  In a class
    without samples every observed label would be a wrong one, so that its
    rarity alone gave the flags away.
    """
    counts: np.ndarray = dataset.class_counts.numpy()
    return counts > 0


def cyclic_neighbours(order: Sequence[int], n_classes: int) -> np.ndarray:
    """Return the matrix in which each class of ``order`` flips to the one before or after.

    ``order``: class codes; the last is followed by the first; ``n_classes``: size of the matrix;
    classes that are not in ``order`` get a zero row.

    >>> cyclic_neighbours([0, 1, 2, 3], 4)[0].tolist()
    [0.0, 0.5, 0.0, 0.5]
    >>> cyclic_neighbours([0, 1], 2).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    matrix = np.zeros((n_classes, n_classes))
    for place, code in enumerate(order):
        matrix[code, order[place - 1]] += 0.5
        matrix[code, order[(place + 1) % len(order)]] += 0.5
    return matrix


def off_diagonal(weights: np.ndarray) -> np.ndarray:
    """Return ``weights`` without the diagonal, each row scaled to sum to 1; zero rows stay.

    >>> off_diagonal(np.array([[8.0, 1.0, 3.0], [0.0, 5.0, 0.0], [2.0, 0.0, 0.0]])).tolist()
    [[0.0, 0.25, 0.75], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0]]
    """
    matrix = np.array(weights, dtype=np.float64)
    np.fill_diagonal(matrix, 0.0)
    totals = matrix.sum(axis=1, keepdims=True)
    scaled: np.ndarray = np.divide(matrix, totals, out=np.zeros_like(matrix), where=totals > 0)
    return scaled


def class_codes(dataset: LabelledDataset, named: Sequence[Any], option: str) -> list[int]:
    """Return the codes of classes that a user named, all in the same way.

    ``named``: class values; or their text, as it comes from a command line or a JSON file; or codes
    ``0 .. n_classes - 1``. The first reading that fits all of them is taken, in that order. Where
    text and numbers are mixed, as in a JSON file's ``{"1": [7]}``, all are read as text;
    ``option``: what to call them in the error.
    """
    codes = range(dataset.n_classes)
    readings: tuple[dict[Hashable, int], ...] = (
        dict(zip(dataset.class_values, codes, strict=True)),
        dict(zip(dataset.class_names, codes, strict=True)),
        {code: code for code in codes},
        {str(code): code for code in codes},
    )
    mixed = len({isinstance(name, str) for name in named}) > 1
    spelled = [str(name) for name in named] if mixed else named
    for reading in readings:
        if all(isinstance(name, Hashable) and name in reading for name in spelled):
            return [reading[name] for name in spelled]
    known = readings[1 if mixed else 0]
    stranger = next(
        name
        for name, text in zip(named, spelled, strict=True)
        if not isinstance(text, Hashable) or text not in known
    )
    listed = ", ".join(repr(value) for value in dataset.class_values[:20])
    more = ", ..." if dataset.n_classes > 20 else ""
    raise SpecError(f"{option} names {stranger!r}, which is no class", listed + more)


def _draw(matrix: np.ndarray, originals: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return one class per original, drawn from its row by inverting the row's distribution."""
    observed = np.empty(len(originals), dtype=np.int64)
    positions = rng.random(len(originals))
    for code in np.unique(originals):
        rows = originals == code
        targets = np.flatnonzero(matrix[code])  # zero classes out, so rounding cannot reach them
        edges = np.cumsum(matrix[code, targets])[:-1]
        observed[rows] = targets[np.searchsorted(edges, positions[rows], side="right")]
    return observed
