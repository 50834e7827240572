"""EL2N: the length of the error vector.

Paul et al. 2021 (arXiv 2107.07075), definition 2.3: the L2 norm, not squared,
of p - onehot(y).  The paper averages one early epoch over ten networks; one
training has one network, so the mean over epochs stands in, and ``at`` picks
an epoch.  ``at`` with ``seeds=10`` is the paper's average to the letter.
``variant="hcat"`` is the norm squared, after the last epoch only.

Cost: nothing beside the shared pass at the end of each epoch; 10 bytes a sample.
Caveat: for two classes it is sqrt(2) (1 - p_y), the ranking of data maps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from torch import Tensor

from hcat_nb.errors import SpecError
from hcat_nb.methods._epochs import Epochs, MeanOverEpochs
from hcat_nb.methods.base import Context
from hcat_nb.observation.record import Need, Observation


def error_norm(probs: Tensor, labels: Tensor) -> Tensor:
    """Return the L2 norm of ``probs - onehot(labels)``; rows of probs (b, C) sum to 1.

    >>> import torch
    >>> error_norm(torch.tensor([[0.4, 0.3, 0.3], [0.0, 1.0, 0.0]]), torch.tensor([0, 1]))
    tensor([0.7348, 0.0000])
    """
    # The label's own entry, p_y - 1, is minus the sum of the others: this
    # keeps the digits that float32 loses next to 1.
    others = probs.scatter(1, labels[:, None], 0.0)
    return (others.square().sum(1) + others.sum(1).square()).sqrt()


@dataclass(eq=False)
class EL2N(MeanOverEpochs):
    """L2 norm of the error vector, mean over epochs.

    Parameters
    ----------
    at : int, optional
        Epoch, from 1, whose error vector alone counts.
    variant : {"paper", "hcat"}
        ``"hcat"``: unless ``at`` says otherwise, the last epoch's.
    epochs : {"all", "second_half"}
        Which epochs the mean is over, where ``at`` names none.

    Raises
    ------
    SpecError
        If ``at`` is no epoch of the run, or there is no such variant.
    """

    name = "el2n"
    title = "Error L2 norm"
    paper = "Paul et al. 2021, arXiv 2107.07075"
    family = "learning: statistic"
    needs = frozenset({Need.LOGITS})
    hard_when = "high"
    detects = frozenset({"mislabel", "boundary", "atypical"})
    detects_in = MappingProxyType({"atypical": frozenset({"image"})})
    looks_at_labels = True
    averages_networks = True
    cost = "one pass an epoch, shared; 10 bytes a sample; seeds=10 for the paper's ten networks"
    misleads = "the last epochs alone forget: a memorised wrong label looks easy there"
    variants = ("paper", "hcat")

    at: int | None = None
    variant: Literal["paper", "hcat"] = "paper"
    epochs: Epochs = "all"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.at is not None and (type(self.at) is not int or self.at < 1):
            raise SpecError(f"el2n.at is {self.at!r}", "an epoch, from 1, or None for their mean")
        if self.epochs != "all" and (self.at is not None or self.variant == "hcat"):
            raise SpecError(
                f"el2n.epochs is {self.epochs!r}, and one epoch alone counts", "one of the two"
            )

    @classmethod
    def averaged(cls, n: int, options: Mapping[str, Any]) -> str:
        """Return what the mean over ``n`` networks is to the paper: its own at one epoch only."""
        text = super().averaged(n, options)
        if not text or options.get("at") is not None:
            return text
        return (
            f"over {n} networks and all epochs; the paper averages one early epoch over networks: "
            "set el2n.at"
        )

    def allocate(self, context: Context) -> None:
        """Set the sums to zero."""
        if self.at is not None and self.at > context.n_epochs:
            raise SpecError(f"el2n.at is {self.at}", f"at most {context.n_epochs}, the epochs")
        super().allocate(context)

    def counts(self, epoch: int) -> bool:
        """Whether the norms of this epoch are averaged."""
        if self.variant == "hcat":
            return epoch == (self.at or self.context.n_epochs)
        return super().counts(epoch) if self.at is None else epoch == self.at

    def values(self, record: Observation) -> Tensor:
        """Return the norms of this epoch, H-CAT's squared, (b,)."""
        norms = error_norm(record.probs, record.labels)
        return norms.square() if self.variant == "hcat" else norms
