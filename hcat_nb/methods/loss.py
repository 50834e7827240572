"""Mean training loss.

The small-loss criterion: the mean over epochs of the cross-entropy, the point
estimate from which Xia et al. 2021 (arXiv 2106.00445) start.  Their CNLCU
damps each loss by log(1 + l + l^2 / 2) and subtracts a confidence width that
depends on how often a sample was selected for training; without selection
that width is the same for all samples and cannot move a rank.

Cost: nothing beside the shared pass at the end of each epoch; 12 bytes a sample.
Caveat: unbounded, so one epoch with a confident error can dominate the mean.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from hcat_nb.methods._epochs import MeanOverEpochs
from hcat_nb.observation.record import Need, Observation

__all__ = ["Loss", "cross_entropy"]


def cross_entropy(log_probs: Tensor, labels: Tensor) -> Tensor:
    """Return minus the log-probability of the observed label.

    Parameters
    ----------
    log_probs : Tensor of shape (b, C)
    labels : Tensor of shape (b,), int64

    Returns
    -------
    Tensor of shape (b,), in nats, >= 0

    Examples
    --------
    >>> import torch
    >>> cross_entropy(torch.tensor([[0.5, 0.5], [1.0, 0.0]]).log(), torch.tensor([0, 0]))
    tensor([0.6931, -0.0000])
    """
    return -log_probs.gather(1, labels[:, None]).squeeze(1)


@dataclass(eq=False)
class Loss(MeanOverEpochs):
    """Cross-entropy, mean over epochs."""

    name = "loss"
    title = "Mean loss"
    paper = "Xia et al. 2021, arXiv 2106.00445"
    needs = frozenset({Need.LABEL_PROB})
    hard_when = "high"
    detects = frozenset({"mislabel", "atypical"})
    looks_at_labels = True
    cost = "one pass an epoch, shared; 12 bytes a sample"
    misleads = "one epoch with a confident error can dominate the mean"

    def values(self, record: Observation) -> Tensor:
        """Return the losses of this epoch, (b,)."""
        return cross_entropy(record.log_probs, record.labels)
