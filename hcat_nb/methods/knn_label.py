"""Neighbours' labels: hard is what lies among samples of other classes.

No paper's own: the share of the k nearest neighbours with another label, each
weighted 1 / (1 + rank), rank from 0, so that the nearest counts most.  Nearest
by cosine distance, exactly, among the rows with a label, without the row
itself; exact duplicates are neighbours like any other.  Equal distances (to
six digits) are ranked by position.  A row of zeros is at distance 1 from all.

Cost: n^2 (d + 10) / 10^10 seconds on a core, about; no network.  Memory:
blocks of 64 MB.
Caveat: as good as the space is.  Pixels of photographs are a poor one, and a
network that memorised draws wrong labels together in its embedding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hcat_nb.errors import SpecError
from hcat_nb.methods._judge import Judge, Matrix
from hcat_nb.methods._neighbours import nearest_rows

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def disagreement(labels: np.ndarray, neighbours: np.ndarray) -> np.ndarray:
    """Return the weighted share of each row's neighbours that have another label.

    Parameters
    ----------
    labels : array of shape (n,)
    neighbours : array of shape (n, k), int64
        Rows, nearest first; k >= 1.

    Examples
    --------
    >>> disagreement(np.array([0, 1, 0]), np.array([[1, 2], [0, 2], [0, 1]])).round(2).tolist()
    [0.67, 1.0, 0.33]
    """
    weights = 1 / (1 + np.arange(neighbours.shape[1]))
    others = labels[neighbours] != labels[:, None]
    share: np.ndarray = others @ weights / weights.sum()
    return share


def votes(labels: np.ndarray, n_classes: int) -> np.ndarray:
    """Return the weighted share of each class among neighbours.

    Parameters
    ----------
    labels : array of shape (n, k), int64
        Of each row's neighbours, nearest first, in [0, n_classes).
    n_classes : int

    Examples
    --------
    >>> votes(np.array([[1, 1, 0]]), 2).round(2).tolist()
    [[0.18, 0.82]]
    """
    weights = 1 / (1 + np.arange(labels.shape[1]))
    found = np.zeros((len(labels), n_classes))
    for rank, weight in enumerate(weights / weights.sum()):
        found[np.arange(len(labels)), labels[:, rank]] += weight
    return found


@dataclass(eq=False)
class KnnLabel(Judge):
    """Weighted share of the nearest neighbours with another label.

    Parameters
    ----------
    k : int
        Neighbours.
    space : {"auto", "input", "embedding"} or array of shape (n, d)
        Where they are near: the features as the judges see them, the final
        model's embedding, or an array with a row for each sample of the run.

    Raises
    ------
    SpecError
        If an option is out of range.
    """

    name = "knn_label"
    title = "Neighbours' labels"
    paper = "weighted vote of the nearest neighbours; no paper's own"
    detects = frozenset({"mislabel"})
    cost = "no network: n^2 d products, once; 64 MB"
    misleads = "as good as the space: pixels of photographs are a poor one"

    k: int = 10
    space: str | ArrayLike = "auto"

    def __post_init__(self) -> None:
        super().__post_init__()
        if type(self.k) is not int or self.k < 1:
            raise SpecError(f"knn_label.k is {self.k!r}", "at least 1 neighbour")

    @property
    def unjudged(self) -> str:
        """Why a row with a label has no score: it is the only one."""
        return "no_neighbour"

    def judge(self, features: Matrix, labels: np.ndarray) -> np.ndarray:
        """Return the weighted share of neighbours with another label, (m,)."""
        if len(labels) < 2:
            return np.full(len(labels), np.nan)
        neighbours, _ = nearest_rows(features, self.k)
        classes, own = np.unique(labels, return_inverse=True)
        self.say(classes, votes(own[neighbours], len(classes)))
        return disagreement(labels, neighbours)
