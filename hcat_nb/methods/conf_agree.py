"""Confidence and agreement of an ensemble.

Carlini et al. 2019 (arXiv 1910.13427), section 3, "ensemble agreement" and
"model confidence": a prototypical sample is one on which many networks agree
with confidence.  The ensemble here is K dropout sub-networks of the final
model (Gal and Ghahramani 2016, arXiv 1506.02142).  Default: one minus the
largest entry of their mean softmax; the paper takes the mean of the largest.
``measure="agreement"`` is its mean pairwise Jensen-Shannon divergence.

``variant="hcat"`` draws masks a sample, as H-CAT's ``net.train()`` does, and
ranks by the default measure.  It differs in this: BatchNorm stays in
evaluation mode, for in training mode ten passes would shift its running
statistics, and with them every later measurement.

Cost: K passes over the final model; 4 bytes a sample.
Caveat: knows nothing of labels, so a mislabelled sample is found only where
training on it made the model unsure; without dropout all sub-networks agree.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import torch
from torch import Tensor

from hcat_nb.errors import SpecError
from hcat_nb.methods.base import Context, Method
from hcat_nb.observation.record import Need, Observation, Options


def unsureness(members: Tensor) -> Tensor:
    """Return one minus the largest entry of the mean of the sub-networks' probabilities (b, K, C).

    >>> unsureness(torch.tensor([[[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [1.0, 0.0]]]))
    tensor([0.5000, 0.0000])
    """
    return 1 - members.float().mean(1).amax(1)


def mean_divergence(members: Tensor) -> Tensor:
    """Return the mean Jensen-Shannon divergence over all pairs of sub-networks; input (b, K, C).

    >>> mean_divergence(torch.tensor([[[1.0, 0.0], [0.0, 1.0]], [[0.7, 0.3], [0.7, 0.3]]]))
    tensor([0.6931, 0.0000], dtype=torch.float64)
    """
    members = members.double()
    entropy = torch.special.entr(members).sum(2)
    pairs = list(itertools.combinations(range(members.shape[1]), 2))
    total = members.new_zeros(len(members))
    for i, j in pairs:  # one pair at a time: (b, C) of memory
        middle = torch.special.entr((members[:, i] + members[:, j]) / 2).sum(1)
        total += (middle - (entropy[:, i] + entropy[:, j]) / 2).clamp(min=0)
    return total / max(len(pairs), 1)


@dataclass(eq=False)
class ConfAgree(Method):
    """Unsureness or disagreement of dropout sub-networks of the final model.

    Parameters
    ----------
    k : int
        Number of sub-networks.
    masks : {"fixed", "per_sample"}
        Whether a sub-network is the same for all samples.
    measure : {"confidence", "agreement"}
        One minus the largest mean probability, or the mean divergence.
    variant : {"paper", "hcat"}
        ``"hcat"``: ``masks="per_sample"`` and ``measure="confidence"``.
    """

    name = "conf_agree"
    title = "Confidence agreement"
    paper = "Carlini et al. 2019, arXiv 1910.13427"
    family = "statistical"
    needs = frozenset({Need.DROPOUT})
    hard_when = "high"
    detects = frozenset({"boundary", "atypical", "ood"})
    detects_in = MappingProxyType({"ood": frozenset({"image"}), "atypical": frozenset({"image"})})
    looks_at_labels = False
    buffers = ("unsure",)
    cost = "k = 10 passes over the final model; 4 bytes a sample"
    misleads = "blind to labels: not made for finding mislabelled samples"
    variants = ("paper", "hcat")

    k: int = 10
    masks: Literal["fixed", "per_sample"] = "fixed"
    measure: Literal["confidence", "agreement"] = "confidence"
    variant: Literal["paper", "hcat"] = "paper"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._one_of("masks", ("fixed", "per_sample"))
        self._one_of("measure", ("confidence", "agreement"))
        least = 2 if self.measure == "agreement" else 1
        if type(self.k) is not int or self.k < least:
            raise SpecError(f"conf_agree.k is {self.k!r}", f"at least {least} sub-networks")
        if self.variant == "hcat" and self.measure != "confidence":
            raise SpecError(f"conf_agree.measure is {self.measure!r}", "confidence, for H-CAT's")

    def options(self, need: Need) -> Options:
        """Return how many sub-networks, and of which kind."""
        masks = "per_sample" if self.variant == "hcat" else self.masks
        return (("k", self.k), ("masks", masks))

    def allocate(self, context: Context) -> None:
        """Nothing is known yet."""
        self.unsure = torch.full((context.n,), torch.nan, device=context.device)

    def observe(self, record: Observation) -> None:
        """Score these rows."""
        members = record.take(Need.DROPOUT, self.options(Need.DROPOUT))
        score = unsureness if self.measure == "confidence" else mean_divergence
        self.unsure[record.rows] = score(members).float()

    def raw(self) -> Tensor:
        """Return the measure, (n,)."""
        return self.unsure
