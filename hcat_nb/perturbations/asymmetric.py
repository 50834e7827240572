"""Asymmetric label noise: each class is confused with the others in its own way.

Source: Seedat et al. 2024 (H-CAT), arXiv 2403.04551: the
row of a class is a draw from Dirichlet(1, ..., 1), i.e. uniform over all
distributions on the other classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.errors import SpecError
from hcat_nb.perturbations._labels import LabelNoise, off_diagonal, populated
from hcat_nb.seeds import child_seed


@dataclass(frozen=True)
class Asymmetric(LabelNoise):
    """Another class, by a class transition matrix.

    Parameters
    ----------
    matrix : nested sequence of shape (n_classes, n_classes), optional
        ``matrix[i][j]``: how often class ``i`` is labelled ``j``, in any unit,
        in the order of the class codes.  The diagonal is ignored; a class
        with nothing beside it never flips.  Default: rows drawn from
        Dirichlet(1) over the other classes that have samples, by the seed
        and whatever ``p``; ``settle(dataset, seed).matrix`` shows them.
    """

    name: ClassVar[str] = "asymmetric"
    title: ClassVar[str] = "Mislabelled: asymmetric"

    matrix: Sequence[Sequence[float]] | None = None

    def check(self, dataset: LabelledDataset) -> None:
        """Raise SpecError if the given matrix does not fit the dataset."""
        super().check(dataset)
        if self.matrix is not None:
            _checked(self.matrix, dataset.n_classes)

    def settle(self, dataset: LabelledDataset, seed: int) -> Self:
        """Return this with its matrix drawn, if none is given."""
        if self.matrix is not None:
            return self
        rng = np.random.default_rng(child_seed(seed, "asymmetric"))
        targets = np.flatnonzero(populated(dataset))
        drawn = np.zeros((dataset.n_classes, dataset.n_classes))
        for code in targets:
            others = targets[targets != code]
            drawn[code, others] = rng.dirichlet(np.ones(len(others)))
        return replace(self, matrix=tuple(map(tuple, drawn.tolist())))

    def transition(self, dataset: LabelledDataset) -> np.ndarray:
        """Return the matrix with a zero diagonal and rows that sum to 1 (or 0)."""
        if self.matrix is None:
            raise SpecError("the matrix is not drawn yet", remedy="call settle(dataset, seed)")
        return off_diagonal(np.asarray(self.matrix, dtype=np.float64))


def _checked(matrix: Sequence[Sequence[float]], n_classes: int) -> None:
    expected = f"{n_classes} rows of {n_classes} numbers"
    try:
        weights = np.asarray(matrix, dtype=np.float64)
    except (TypeError, ValueError):
        raise SpecError(f"matrix is {str(matrix)[:60]!r}", expected) from None
    if weights.shape != (n_classes, n_classes):
        raise SpecError(f"matrix has the shape {weights.shape}", expected)
    bad = ~np.isfinite(weights) | (weights < 0)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise SpecError(
            f"matrix[{row}][{column}] is {weights[row, column]:g}", "a finite number, 0 or larger"
        )
    empty = np.flatnonzero(weights.sum(axis=1) == 0)
    if len(empty):
        raise SpecError(
            f"row {empty[0]} of matrix sums to 0",
            "a positive sum",
            "put 1 on the diagonal of a class that must not flip",
        )
