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

from hcat_nb.methods._judge import Matrix
from hcat_nb.methods._neighbours import NeighbourJudge, nearest_rows

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def disagreement(labels: np.ndarray, neighbours: np.ndarray) -> np.ndarray:
    """Return the weighted share of each row's neighbours (n, k), nearest first, of another label.

    >>> disagreement(np.array([0, 1, 0]), np.array([[1, 2], [0, 2], [0, 1]])).round(2).tolist()
    [0.67, 1.0, 0.33]
    """
    weights = 1 / (1 + np.arange(neighbours.shape[1]))
    others = labels[neighbours] != labels[:, None]
    share: np.ndarray = others @ weights / weights.sum()
    return share


def votes(labels: np.ndarray, n_classes: int) -> np.ndarray:
    """Return the weighted share of each class among neighbours of labels (n, k), nearest first.

    >>> votes(np.array([[1, 1, 0]]), 2).round(2).tolist()
    [[0.18, 0.82]]
    """
    weights = 1 / (1 + np.arange(labels.shape[1]))
    found = np.zeros((len(labels), n_classes))
    for rank, weight in enumerate(weights / weights.sum()):
        found[np.arange(len(labels)), labels[:, rank]] += weight
    return found


@dataclass(eq=False)
class KnnLabel(NeighbourJudge):
    """Weighted share of the nearest neighbours with another label.

    Parameters
    ----------
    k : int
        Neighbours.
    space : {"auto", "input", "embedding"} or array of shape (n, d)
        Where they are near: the features as the judges see them, the final
        model's embedding, or an array with a row for each sample of the run.
    """

    name = "knn_label"
    title = "Neighbours' labels"
    paper = "weighted vote of the nearest neighbours; no paper's own"
    detects = frozenset({"mislabel"})
    cost = "no network: n^2 d products, once; 64 MB"
    misleads = "as good as the space: pixels of photographs are a poor one"

    k: int = 10
    space: str | ArrayLike = "auto"

    def among(self, features: Matrix, labels: np.ndarray) -> np.ndarray:
        """Return the weighted share of neighbours with another label, (m,)."""
        neighbours, _ = nearest_rows(features, self.k)
        classes, own = np.unique(labels, return_inverse=True)
        self.say(classes, votes(own[neighbours], len(classes)))
        return disagreement(labels, neighbours)
