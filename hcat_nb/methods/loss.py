"""Mean training loss.

The small-loss criterion: the mean over epochs of the cross-entropy, the point
estimate from which Xia et al. 2021 (arXiv 2106.00445) start.

``variant="cnlcu"`` is their CNLCU with soft truncation: the mean over the t
epochs of log(1 + l + l^2 / 2), less the width of its confidence interval,

    s^2 (t + s^2 log(2 t) / t^2) / (n - s^2),

where n is how often the sample was selected for training and s^2 bounds the
variance.  A run selects nothing: n is the number of epochs in which the sample
was measured, so the width moves a rank only where epochs were missed.  Formula
and s^2 = 1e-4 are those of the authors' published code, which the paper's
text, not at hand, could not be checked against; the code also counts n one
higher and cuts the bound off at 0, which would only add ties.

Cost: nothing beside the shared pass at the end of each epoch; 10 bytes a sample.
Caveat: unbounded, so one epoch with a confident error can dominate the mean.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import torch
from torch import Tensor

from hcat_nb.errors import SpecError
from hcat_nb.methods._epochs import Epochs, MeanOverEpochs
from hcat_nb.observation.record import Need, Observation


def cross_entropy(log_probs: Tensor, labels: Tensor) -> Tensor:
    """Return minus the log-probability of the observed label.

    >>> cross_entropy(torch.tensor([[0.5, 0.5], [1.0, 0.0]]).log(), torch.tensor([0, 0]))
    tensor([0.6931, -0.0000])
    """
    return -log_probs.gather(1, labels[:, None]).squeeze(1)


def soft_truncation(losses: Tensor) -> Tensor:
    """Return log(1 + l + l^2 / 2), which grows like the loss near 0 and like its log far off.

    In float32 for losses below 1e19.

    >>> soft_truncation(torch.tensor([0.0, 2.0]))
    tensor([0.0000, 1.6094])
    """
    return torch.log1p(losses + losses.square() / 2)


def confidence_width(t: int, n: Tensor, variance: float) -> Tensor:
    """Return half the confidence interval of a truncated mean over t epochs.

    ``n`` counts how often each sample was measured, ``variance`` is the bound s^2 < n.

    >>> confidence_width(10, torch.tensor([10, 5]), 0.1)
    tensor([0.1010, 0.2041], dtype=torch.float64)
    """
    return variance * (t + variance * math.log(2 * t) / t**2) / (n.double() - variance)


@dataclass(eq=False)
class Loss(MeanOverEpochs):
    """Cross-entropy, mean over epochs.

    Parameters
    ----------
    variant : {"mean", "cnlcu"}
        The plain mean, or the paper's lower bound of a damped one.
    variance : float
        The paper's s^2, in (0, 1); counts for ``"cnlcu"``.
    epochs : {"all", "second_half"}
        Which epochs the mean is over.
    """

    name = "loss"
    title = "Mean loss"
    paper = "Xia et al. 2021, arXiv 2106.00445"
    family = "learning: other"
    needs = frozenset({Need.LABEL_PROB})
    hard_when = "high"
    detects = frozenset({"mislabel", "atypical"})
    detects_in = MappingProxyType({"atypical": frozenset({"image"})})
    looks_at_labels = True
    cost = "one pass an epoch, shared; 10 bytes a sample"
    misleads = "one epoch with a confident error can dominate the mean"
    variants = ("mean", "cnlcu")

    variant: Literal["mean", "cnlcu"] = "mean"
    variance: float = 1e-4
    epochs: Epochs = "all"

    def __post_init__(self) -> None:
        super().__post_init__()
        if type(self.variance) not in (int, float) or not 0 < self.variance < 1:
            raise SpecError(f"loss.variance is {self.variance!r}", "a number in (0, 1)")

    def values(self, record: Observation) -> Tensor:
        """Return the losses of this epoch, damped for CNLCU, (b,)."""
        losses = cross_entropy(record.log_probs, record.labels)
        return losses if self.variant == "mean" else soft_truncation(losses)

    def raw(self) -> Tensor:
        """Return the mean, or CNLCU's lower bound of it, (n,)."""
        mean = self.means()[:, 0]
        if self.variant == "mean":
            return mean
        # Where nothing was measured the mean is NaN, whatever the width.
        return mean - confidence_width(max(self.n_heard, 1), self.count.clamp(min=1), self.variance)
