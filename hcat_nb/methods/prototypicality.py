"""Distance to the prototype of the class.

Sorscher et al. 2022 (arXiv 2206.14486), section 4: how far a sample lies from
its prototype in embedding space.  Here the prototype is the mean embedding of
the observed class and the distance one minus the cosine (the supervised form;
the paper's own prototypes are k-means centroids).  Sums are float64, so that
order and size of the batches leave no trace.

A class with a single sample has no mean beside that sample: it gets no score
and the status ``rare_class``.  An embedding of zeros has cosine 0.

Cost: two passes over the final model; 4 bytes a sample and 8 d bytes a class.
Caveat: one prototype a class; a class of several clusters has its mean where
no sample lies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from hcat_nb.methods.base import Context, Method
from hcat_nb.observation.record import Need, Observation

__all__ = ["Prototypicality", "cosine"]


def cosine(embeddings: Tensor, prototypes: Tensor) -> Tensor:
    """Return the cosine of the angle between rows, 0 where a row is all zeros.

    Parameters
    ----------
    embeddings, prototypes : Tensor of shape (b, d)

    Returns
    -------
    Tensor of shape (b,), float64, in [-1, 1]

    Examples
    --------
    >>> cosine(torch.tensor([[2.0, 0.0], [0.0, 0.0]]), torch.tensor([[1.0, 0.0], [1.0, 1.0]]))
    tensor([1., 0.], dtype=torch.float64)
    """
    a, b = embeddings.double(), prototypes.double()
    lengths = a.norm(dim=1) * b.norm(dim=1)
    return torch.where(lengths == 0, 0, (a * b).sum(1) / lengths).clamp(-1, 1)


@dataclass(eq=False)
class Prototypicality(Method):
    """One minus the cosine similarity to the mean embedding of the observed class."""

    name = "prototypicality"
    title = "Prototypicality"
    paper = "Sorscher et al. 2022, arXiv 2206.14486"
    needs = frozenset({Need.EMBEDDINGS})
    hard_when = "high"
    detects = frozenset({"mislabel", "atypical", "ood"})
    looks_at_labels = True
    buffers = ("sums", "distance")
    sweeps = 2
    cost = "two passes over the final model; 4 bytes a sample, 8 d a class"
    misleads = "a class of several clusters has its mean where no sample lies"

    def allocate(self, context: Context) -> None:
        """Nothing is known yet; the first record tells the width of an embedding."""
        self.sums = torch.zeros(context.n_classes, 0, dtype=torch.float64, device=context.device)
        self.distance = torch.full((context.n,), torch.nan, device=context.device)

    def observe(self, record: Observation) -> None:
        """Add to the class sums in the first sweep; measure the distances in the second."""
        embeddings = record.take(Need.EMBEDDINGS).double()
        labels = self.context.labels[record.rows]
        if record.sweep == 0:
            if self.sums.shape[1] == 0:
                self.sums = self.sums.new_zeros(len(self.sums), embeddings.shape[1])
            labelled = labels >= 0
            self.sums.index_add_(0, labels[labelled], embeddings[labelled])
        else:
            # A sum points where the mean points.  Rows without a label get
            # some class here and no score from the base class.
            prototypes = self.sums[labels.clamp(min=0)]
            self.distance[record.rows] = (1 - cosine(embeddings, prototypes)).float()

    def raw(self) -> Tensor:
        """Return one minus the cosine, (n,), in [0, 2]."""
        return self.distance

    def missing(self) -> Mapping[str, Tensor]:
        """Return the rows that are alone in their class."""
        return {"rare_class": self.context.alone}
