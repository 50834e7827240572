"""The best other class: hard is what the network would call something else.

No paper's own: the largest, over the other classes, of the mean over epochs of
p_k.  It is large only where the doubt points at one class, which a wrong label
among known classes does and noise does not.

Cost: nothing beside the shared pass; 8 C bytes a sample.
Caveat: chance where the network has hardly learned, and it finds true
confusions more easily than rare errors: nothing is counted by it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from hcat_nb.methods._epochs import Epochs, MeanOverEpochs
from hcat_nb.methods.base import Context
from hcat_nb.observation.record import Need, Observation


@dataclass(eq=False)
class AltProb(MeanOverEpochs):
    """Largest mean probability of another class, in [0, 1].

    Parameters
    ----------
    epochs : {"all", "second_half"}
        Which epochs the mean is over.
    """

    name = "alt_prob"
    title = "Probability of the best other class"
    paper = "largest mean probability of another class; no paper's own"
    family = "learning: output"
    needs = frozenset({Need.LOGITS})
    hard_when = "high"
    detects = frozenset({"mislabel"})
    looks_at_labels = True
    cost = "one pass an epoch, shared; 8 bytes a sample and class"
    misleads = "chance where the network has hardly learned"

    epochs: Epochs = "all"

    def allocate(self, context: Context) -> None:
        """Set the sums of all classes to zero."""
        self.columns = context.n_classes  # type: ignore[misc]  # a column for each class here
        super().allocate(context)

    def values(self, record: Observation) -> Tensor:
        """Return the probabilities, (b, C)."""
        return record.probs

    def raw(self) -> Tensor:
        """Return the largest mean of another class, (n,), in [0, 1]."""
        means = self.means().clone()
        labels = self.context.labels.clamp(min=0)[:, None]
        return means.scatter(1, labels, -torch.inf).max(dim=1).values.clamp(min=0)
