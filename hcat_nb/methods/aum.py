"""Area under the margin.

Pleiss et al. 2020 (arXiv 2001.10528), equations 1 and 2: the margin of a
sample is the logit of its observed label minus the largest other logit, as
the training forward made them; the AUM is the mean margin over epochs.  A
mislabelled sample is pulled both ways and keeps a small or negative margin.

Cost: no forward of its own; 16 bytes a sample.
Caveat: margins grow with the logits, so the AUMs of two runs or models do not
compare, only their ranks do.  A threshold belongs to the paper's threshold
samples, which take two extra trainings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from hcat_nb.methods._epochs import MeanOverEpochs
from hcat_nb.observation.record import Need, Observation

__all__ = ["AUM", "margin"]


def margin(logits: Tensor, labels: Tensor) -> Tensor:
    """Return how far the observed label's logit lies above the largest other one.

    Parameters
    ----------
    logits : Tensor of shape (b, C)
        Any floating type; C >= 2.
    labels : Tensor of shape (b,), int64

    Returns
    -------
    Tensor of shape (b,), float32

    Examples
    --------
    >>> margin(torch.tensor([[3.0, 1.0, 0.0], [3.0, 1.0, 0.0]]), torch.tensor([0, 2]))
    tensor([ 2., -3.])
    """
    logits, index = logits.float(), labels[:, None]
    others = logits.scatter(1, index, -torch.inf).amax(1)
    return logits.gather(1, index).squeeze(1) - others


@dataclass(eq=False)
class AUM(MeanOverEpochs):
    """Mean margin of the training logits; the paper's AUM, low when hard."""

    name = "aum"
    title = "Area under the margin"
    paper = "Pleiss et al. 2020, arXiv 2001.10528"
    needs = frozenset({Need.TRAIN_LOGITS})
    hard_when = "low"
    detects = frozenset({"mislabel"})
    looks_at_labels = True
    cost = "none: reads the logits of training; 16 bytes a sample"
    misleads = "compares within one run only: margins grow with the scale of the logits"

    def values(self, record: Observation) -> Tensor:
        """Return the margins of this epoch, (b,)."""
        return margin(record.logits, record.labels)

    def details(self) -> Mapping[str, Tensor]:
        """Return ``aum``, the paper's quantity: positive is easy."""
        return {"aum": self.raw().float()}
