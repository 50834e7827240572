"""GraNd: the length of a sample's own gradient, early in training.

Paul et al. 2021 (arXiv 2107.07075), definition 2.1: the expected L2 norm, over
initialisations, of the gradient of one sample's loss with respect to the
weights, at one early epoch.  Here exact, the model in evaluation mode, all
trainable parameters; the expectation is over the initialisations of the run:
one, or k with ``seeds=k`` (the paper's ten are ``seeds=10``).
``variant="hcat"`` takes the last epoch.

Cost: one forward and backward pass, in one epoch, shared with no other
method; 6 bytes a sample, and a bounded chunk for the gradients.
Caveat: at later epochs a memorised wrong label has a small gradient.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import torch
from torch import Tensor

from hcat_nb.errors import SpecError
from hcat_nb.methods._epochs import PerEpoch
from hcat_nb.methods.base import Context
from hcat_nb.observation.record import Need, Observation


def early_epoch(n_epochs: int) -> int:
    """Return the epoch at the end of the first fifth of a training, from 1.

    >>> [early_epoch(n) for n in (1, 5, 6, 10)]
    [1, 1, 2, 2]
    """
    return -(-n_epochs // 5)


@dataclass(eq=False)
class GraNd(PerEpoch):
    """L2 norm of the gradient of a sample's cross-entropy, at one epoch.

    Of a run with ``weights``, that of the weighted loss, as training sees it.

    Parameters
    ----------
    at : int, optional
        The epoch, from 1; default: the end of the first fifth.
    variant : {"paper", "hcat"}
        ``"hcat"``: the default epoch is the last.

    Raises
    ------
    SpecError
        If ``at`` is no epoch of the run, or there is no such variant.
    """

    name = "grand"
    title = "Gradient norm"
    paper = "Paul et al. 2021, arXiv 2107.07075"
    family = "learning: gradient"
    needs = frozenset({Need.GRADIENT_NORM})
    hard_when = "high"
    detects = frozenset({"mislabel", "atypical", "ood"})
    detects_in = MappingProxyType({"ood": frozenset({"table"}), "atypical": frozenset({"image"})})
    looks_at_labels = True
    averages_networks = True
    buffers = (*PerEpoch.buffers, "norms")
    cost = (
        "one forward and backward pass at one epoch; 6 bytes a sample; "
        "seeds=10 for the paper's ten networks"
    )
    misleads = "late epochs: a memorised wrong label has a small gradient there"
    variants = ("paper", "hcat")

    at: int | None = None
    variant: Literal["paper", "hcat"] = "paper"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.at is not None and (type(self.at) is not int or self.at < 1):
            raise SpecError(
                f"grand.at is {self.at!r}", "an epoch, from 1, or None for the first fifth's end"
            )

    def allocate(self, context: Context) -> None:
        """Nothing is known yet."""
        if self.at is not None and self.at > context.n_epochs:
            raise SpecError(f"grand.at is {self.at}", f"at most {context.n_epochs}, the epochs")
        super().allocate(context)
        self.norms = torch.full((context.n,), torch.nan, device=context.device)

    def due(self, epoch: int) -> bool:
        """Whether this is the epoch."""
        n_epochs = self.context.n_epochs
        default = n_epochs if self.variant == "hcat" else early_epoch(n_epochs)
        return epoch == (self.at or default)

    def observe(self, record: Observation) -> None:
        """Keep the norms of these rows."""
        norms = record.take(Need.GRADIENT_NORM).float()
        self.norms[record.rows] = norms
        self.attend(record, norms)

    def raw(self) -> Tensor:
        """Return the norms, (n,), >= 0."""
        return self.norms

    def missing(self) -> Mapping[str, Tensor]:
        """Return the rows that were not measured: all, if training stopped before the epoch."""
        return {"0_of_1_epochs": self.count == 0}
