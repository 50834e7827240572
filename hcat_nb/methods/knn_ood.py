"""Distance to the k-th neighbour: hard is what lies where hardly anything else does.

Sun et al. 2022 (arXiv 2204.06507), equation 1: the distance to the k-th nearest
neighbour in the embedding of the trained network.  There all data are looked
at for what is new; here the samples of a run for what lies alone, by cosine
distance as everywhere in this project.

Cost: one pass of neighbours, shared with ``nearest_twin``; 4 d bytes a sample.
Caveat: a small class that lies apart is far from all others, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hcat_nb.methods._judge import Matrix
from hcat_nb.methods._neighbours import K, NeighbourJudge, nearest_rows

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@dataclass(eq=False)
class KnnOod(NeighbourJudge):
    """Cosine distance to the k-th nearest neighbour, in [0, 2].

    Parameters
    ----------
    k : int
        Which neighbour's distance; of fewer others, that of the last.
    space : {"embedding", "input"} or array of shape (n, d)
        As for ``knn_label``.
    """

    name = "knn_ood"
    title = "Distance to the k-th neighbour"
    paper = "Sun et al. 2022, arXiv 2204.06507"
    detects = frozenset({"ood"})
    looks_at_labels = False
    cost = "n^2 d products, once; 4 d bytes a sample"
    misleads = "a small class that lies apart looks as if it did not belong"

    k: int = K
    space: str | ArrayLike = "embedding"

    def among(self, features: Matrix, labels: np.ndarray) -> np.ndarray:
        """Return the distance to the k-th neighbour, (m,), whatever the labels are."""
        _, distances = nearest_rows(features, self.k)
        return distances[:, -1].astype(np.float64)
