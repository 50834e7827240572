"""Area under the margin.

Pleiss et al. 2020 (arXiv 2001.10528), equations 1 and 2: the margin of a
sample is the logit of its observed label minus the largest other logit, as
the training forward made them; the AUM is the mean margin over epochs.  A
mislabelled sample is pulled both ways and keeps a small or negative margin.

``threshold_samples=True`` adds the paper's threshold (section 4.1): n / (C + 1)
samples, drawn at random, get an extra class C + 1, and what lies below the
99th percentile of *their* AUM is flagged.  It takes two extra trainings with
disjoint threshold samples, for these cannot be judged themselves; a sample is
judged in the first in which it kept its label.  Scores stay the run's own.
``variant="hcat"`` takes the percentile of all AUMs: it flags 99 %.

Cost: no forward of its own; 10 bytes a sample; two trainings for the threshold.
Caveat: margins grow with the logits, so the AUMs of two runs or models do not
compare, only their ranks do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from hcat_nb.errors import SpecError
from hcat_nb.methods._epochs import Epochs, MeanOverEpochs
from hcat_nb.methods.base import Context, Moment
from hcat_nb.observation.record import Need, Observation

_PERCENTILE = 0.99


def margin(logits: Tensor, labels: Tensor) -> Tensor:
    """Return how far the label's logit lies above the largest other one; logits (b, C), C >= 2.

    >>> margin(torch.tensor([[3.0, 1.0, 0.0], [3.0, 1.0, 0.0]]), torch.tensor([0, 2]))
    tensor([ 2., -3.])
    """
    logits, index = logits.float(), labels[:, None]
    others = logits.scatter(1, index, -torch.inf).amax(1)
    return logits.gather(1, index).squeeze(1) - others


@dataclass(eq=False)
class AUM(MeanOverEpochs):
    """Mean margin of the training logits; the paper's AUM, low when hard.

    Parameters
    ----------
    threshold_samples : bool
        Whether two extra trainings give a threshold.
    variant : {"paper", "hcat"}
        Where the threshold comes from, if there is one.
    epochs : {"all", "second_half"}
        Which epochs the mean is over; threshold samples are averaged over all.

    Raises
    ------
    SpecError
        If an option is out of range, or the dataset too small for threshold
        samples.
    """

    name = "aum"
    title = "Area under the margin"
    paper = "Pleiss et al. 2020, arXiv 2001.10528"
    family = "learning: output"
    needs = frozenset({Need.TRAIN_LOGITS})
    hard_when = "low"
    detects = frozenset({"mislabel"})
    looks_at_labels = True
    cost = "none: reads the logits of training; 10 bytes a sample; threshold_samples: 2 trainings"
    misleads = "compares within one run only: margins grow with the scale of the logits"
    variants = ("paper", "hcat")

    threshold_samples: bool = False
    variant: Literal["paper", "hcat"] = "paper"
    epochs: Epochs = "all"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.threshold_samples, bool):
            raise SpecError(f"aum.threshold_samples is {self.threshold_samples!r}", "True or False")
        if not self.threshold_samples:
            return
        if self.variant == "hcat":
            raise SpecError(
                "aum.threshold_samples is True, and H-CAT's variant knows no threshold samples",
                "one of the two",
                "aum.variant=paper, or aum.threshold_samples=false",
            )
        self.needs = frozenset({Need.TRAIN_LOGITS, Need.THRESHOLD_SAMPLES})
        self.buffers = (*MeanOverEpochs.buffers, "judged", "below")

    @property
    def scored_from(self) -> Moment:
        """After every epoch: the extra trainings only flag."""
        return "epoch"

    def allocate(self, context: Context) -> None:
        """Set the sums to zero; nobody is judged."""
        super().allocate(context)
        if self.threshold_samples:
            n = int(context.trainable.sum())
            if n < context.n_classes + 1:
                raise SpecError(
                    f"aum.threshold_samples needs a sample for each of {context.n_classes} + 1 "
                    f"classes, and {n} can be trained on"
                )
            self.judged = torch.zeros(context.n, dtype=torch.bool, device=context.device)
            self.below = torch.zeros_like(self.judged)

    def observe(self, record: Observation) -> None:
        """Add the margins of this epoch; from an extra training, judge."""
        if record.kind != "extra":
            super().observe(record)
            return
        measured = record.take(Need.THRESHOLD_SAMPLES, self.options(Need.THRESHOLD_SAMPLES))
        aum, relabelled = measured[:, 0], measured[:, 1].bool()
        limit = torch.quantile(aum[relabelled], _PERCENTILE)
        new = ~relabelled & ~self.judged[record.rows]
        self.below[record.rows[new]] = aum[new] < limit
        self.judged[record.rows[new]] = True

    def values(self, record: Observation) -> Tensor:
        """Return the margins of this epoch, (b,)."""
        return margin(record.logits, record.labels)

    def details(self) -> Mapping[str, Tensor]:
        """Return ``aum``, the paper's quantity: positive is easy."""
        return {"aum": self.raw().float()}

    def notes(self) -> Mapping[str, Tensor]:
        """Return the rows seen in some epochs only, and those without a verdict."""
        notes = super().notes()
        if self.threshold_samples:
            return {"not_judged": self.context.trainable & ~self.judged, **notes}
        return notes

    def flagged(self) -> Tensor | None:
        """Return the samples below the threshold; None if there is none."""
        trainable = self.context.trainable & (self.count > 0)
        if self.variant == "hcat":
            aum = self.raw()
            if not trainable.any():
                return trainable
            return trainable & (aum < torch.quantile(aum[trainable], _PERCENTILE))
        if not (self.threshold_samples and self.judged.any()):
            return None
        return trainable & self.below
