"""Length of the embedding: hard is what excites the network little.

Related to the feature norms of Dhamija et al. 2018 (arXiv 1811.04110), in whose
networks unknown inputs have small ones: minus the L2 norm of the final model's
embedding.  Blends of two samples are found by it where nothing else finds them.

Cost: nothing beside the final pass; 4 d bytes a sample.
Caveat: says something of networks with a rectifier before the last layer only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hcat_nb.methods._judge import Judge, Matrix

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@dataclass(eq=False)
class EmbeddingNorm(Judge):
    """L2 norm of the embedding; a small one is hard.

    Parameters
    ----------
    space : {"embedding", "input"} or array of shape (n, d)
        As for ``knn_label``.
    """

    name = "embedding_norm"
    title = "Norm of the embedding"
    paper = "after Dhamija et al. 2018, arXiv 1811.04110"
    hard_when = "low"  # type: ignore[assignment]  # narrowed by the class of all judges
    detects = frozenset()  # blends of two samples, which no card names
    looks_at_labels = False
    cost = "nothing beside the final pass; 4 d bytes a sample"
    misleads = "where no rectifier stands before the last layer, it says nothing"

    space: str | ArrayLike = "embedding"

    def judge(self, features: Matrix, labels: np.ndarray) -> np.ndarray:
        """Return the norms, (m,), whatever the labels are."""
        squares = features.multiply(features) if hasattr(features, "multiply") else features**2
        return np.sqrt(np.asarray(squares.sum(axis=1), dtype=np.float64)).ravel()
