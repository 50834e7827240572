"""ALLSH: how far a prediction moves when the sample is changed a little.

Zhang et al. 2022 (arXiv 2205.04980), section 3: the divergence KL(p(x) || p(x'))
between the final model's predictions for a sample and for augmented copies.
The paper takes the worst copy, ``reduce="max"``; the default is the mean, of
which few copies give a steadier estimate.  What a copy is:
:mod:`hcat_nb.observation.augmented`.

``variant="hcat"`` is one copy of each image, mirrored whatever the dataset says
(digits too) and in another value range than the model was trained on, and
low = hard, as H-CAT's evaluator takes it: its figure says nothing about ALLSH.
The changes besides are ours and smaller than those of the AugLy package that
it used, so that this is its construction, not its figures.

Cost: K passes over the final model; 4 bytes a sample, and 0.3 K for the draws.
Caveat: knows nothing of labels; and it sees only what the augmentations change.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import torch
from torch import Tensor

from hcat_nb.errors import SpecError
from hcat_nb.methods.base import Context, Method
from hcat_nb.observation.record import Need, Observation, Options


def divergences(logits: Tensor, copies: Tensor) -> Tensor:
    """Return KL(softmax(logits) || softmax(copy)) for each copy.

    Taken between log-probabilities in float64: finite for any finite logits.

    >>> divergences(torch.zeros(1, 2), torch.tensor([[[0.0, 0.0], [1.0, 0.0]]]))
    tensor([[0.0000, 0.1201]], dtype=torch.float64)
    """
    log_p = torch.log_softmax(logits.double(), dim=1)[:, None]
    log_q = torch.log_softmax(copies.double(), dim=2)
    return (log_p.exp() * (log_p - log_q)).sum(2).clamp(min=0)


@dataclass(eq=False)
class ALLSH(Method):
    """Divergence between the predictions for a sample and for K augmented copies.

    Parameters
    ----------
    k : int
        Number of copies.
    reduce : {"mean", "max"}
        Over the copies; ``max`` is the paper's.
    strength : float
        Of an image's changes, in [0, 4]; 1 turns by up to 5 degrees and
        shifts by up to 3 % of the side.
    noise : float
        Of a table's numbers: standard deviations of each column that are added.
    redrawn : float
        Of a table's categories and a text's words: probability with which a
        category is drawn anew, and a word left out.
    variant : {"paper", "hcat"}
        ``"hcat"``: one copy, whatever ``k``; tables have one too.
    """

    name = "allsh"
    title = "Local sensitivity"
    paper = "Zhang et al. 2022, arXiv 2205.04980"
    family = "statistical"
    needs = frozenset({Need.AUGMENTED})
    hard_when = "high"
    detects = frozenset({"boundary", "atypical"})
    detects_in = MappingProxyType({"atypical": frozenset({"image"})})
    looks_at_labels = False
    buffers = ("moved",)
    cost = "k = 4 passes over the final model; 6 bytes a sample"
    misleads = "blind to labels, and to whatever the augmentations leave as it is"
    variants = ("paper", "hcat")

    k: int = 4
    reduce: Literal["mean", "max"] = "mean"
    strength: float = 1.0
    noise: float = 0.1
    redrawn: float = 0.1
    variant: Literal["paper", "hcat"] = "paper"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.variant == "hcat":
            self.hard_when = "low"  # type: ignore[assignment]  # narrowed by the class's "high"
        self._one_of("reduce", ("mean", "max"))
        if type(self.k) is not int or self.k < 1:
            raise SpecError(f"allsh.k is {self.k!r}", "at least 1 copy")
        for option, most in (("strength", 4.0), ("noise", 100.0), ("redrawn", 1.0)):
            value = getattr(self, option)
            if type(value) not in (int, float) or not 0 <= value <= most:
                raise SpecError(f"allsh.{option} is {value!r}", f"a number in [0, {most:g}]")

    def options(self, need: Need) -> Options:
        """Return how many copies, and how much they are changed."""
        how = {name: getattr(self, name) for name in ("k", "strength", "noise", "redrawn")}
        if self.variant == "hcat":
            how |= {"k": 1, "as_hcat": True}
        return tuple(how.items())

    def allocate(self, context: Context) -> None:
        """Nothing is known yet."""
        self.moved = torch.full((context.n,), torch.nan, device=context.device)

    def observe(self, record: Observation) -> None:
        """Score these rows."""
        copies = record.take(Need.AUGMENTED, self.options(Need.AUGMENTED))
        moved = divergences(record.logits, copies)
        self.moved[record.rows] = (
            moved.mean(1) if self.reduce == "mean" else moved.amax(1)
        ).float()

    def raw(self) -> Tensor:
        """Return the divergence, (n,), in nats."""
        return self.moved
