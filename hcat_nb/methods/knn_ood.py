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

from hcat_nb.errors import SpecError
from hcat_nb.methods._judge import Judge, Matrix
from hcat_nb.methods._neighbours import K, nearest_rows

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@dataclass(eq=False)
class KnnOod(Judge):
    """Cosine distance to the k-th nearest neighbour, in [0, 2].

    Parameters
    ----------
    k : int
        Which neighbour's distance; of fewer others, that of the last.
    space : {"embedding", "input"} or array of shape (n, d)
        As for ``knn_label``.

    Raises
    ------
    SpecError
        If an option is out of range.
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

    def __post_init__(self) -> None:
        super().__post_init__()
        if type(self.k) is not int or self.k < 1:
            raise SpecError(f"knn_ood.k is {self.k!r}", "at least 1, the nearest neighbour")

    @property
    def unjudged(self) -> str:
        """Why a row has no score: it is the only one."""
        return "no_neighbour"

    def judge(self, features: Matrix, labels: np.ndarray) -> np.ndarray:
        """Return the distance to the k-th neighbour, (m,), whatever the labels are."""
        if len(labels) < 2:
            return np.full(len(labels), np.nan)
        _, distances = nearest_rows(features, self.k)
        return distances[:, -1].astype(np.float64)
