"""The nearest sample: hard is what has a close twin under another label.

No paper's own: the cosine similarity to the nearest neighbour in the final
model's embedding, positive where its label is another one and negative where
it is the same.  A near copy under another class has almost 1; a sample whose
twin agrees almost -1.

Cost: one pass of neighbours, shared with ``knn_ood``; 4 d bytes a sample.
Caveat: of a pair in conflict both rank high, and one of them is right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hcat_nb.methods._judge import Matrix
from hcat_nb.methods._neighbours import K, NeighbourJudge, nearest_rows

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def signed_similarity(features: Matrix, labels: np.ndarray) -> np.ndarray:
    """Return each row's cosine to its nearest neighbour, negative where the labels agree: (n,).

    >>> x = np.array([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0]])
    >>> signed_similarity(x, np.array([0, 1, 1])).round(2).tolist()
    [1.0, 1.0, -0.1]
    """
    rows, distances = nearest_rows(features, K)
    likeness = 1 - distances[:, 0].astype(np.float64)
    return np.where(labels[rows[:, 0]] == labels, -likeness, likeness)


@dataclass(eq=False)
class NearestTwin(NeighbourJudge):
    """Similarity to the nearest neighbour, in [-1, 1]; negative where it has the same label.

    Parameters
    ----------
    space : {"embedding", "input"} or array of shape (n, d)
        As for ``knn_label``.
    """

    name = "nearest_twin"
    title = "Nearest twin"
    paper = "signed similarity to the nearest neighbour; no paper's own"
    detects = frozenset({"mislabel"})
    cost = "n^2 d products, once; 4 d bytes a sample"
    misleads = "of two samples in conflict both rank high, and one of them is right"

    space: str | ArrayLike = "embedding"

    def among(self, features: Matrix, labels: np.ndarray) -> np.ndarray:
        """Return the signed similarity, (m,)."""
        return signed_similarity(features, labels)
