"""Forgetting events.

Toneva et al. 2019 (arXiv 1812.05159), definition 2.1: a sample is forgotten
each time it goes from correctly to wrongly classified between two consecutive
presentations.  A sample that is never learned counts as forgotten infinitely
often; its score here is the number of epochs, above every possible count.
``variant="hcat"`` scores it 0, as the easiest, which costs most of what the
method finds (AUROC .51 instead of .95, LeNet on MNIST); it reads the predictions
at the end of each epoch, and divides the count by the number of epochs.

Cost: no forward of its own; 7 bytes a sample.
Caveat: E epochs give at most floor(E / 2) events, so ties are many; rankings
use the mean loss as second key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import torch
from torch import Tensor

from hcat_nb.methods._epochs import PerEpoch
from hcat_nb.methods.base import Context
from hcat_nb.observation.record import Need, Observation


@dataclass(eq=False)
class Forgetting(PerEpoch):
    """Number of forgetting events; never learned scores the number of epochs.

    Parameters
    ----------
    when : {"train", "epoch_end"}
        Predictions of the training forward (the paper's), or of the model in
        evaluation mode at the end of each epoch.
    variant : {"paper", "hcat"}
        ``"hcat"``: at the end of each epoch, whatever ``when`` says.
    """

    name = "forgetting"
    title = "Forgetting events"
    paper = "Toneva et al. 2019, arXiv 1812.05159"
    family = "learning: other"
    needs = frozenset({Need.TRAIN_LOGITS})
    hard_when = "high"
    detects = frozenset({"mislabel", "boundary", "atypical"})
    detects_in = MappingProxyType({"atypical": frozenset({"image"})})
    looks_at_labels = True
    buffers = (*PerEpoch.buffers, "correct", "events", "first_learned")
    cost = "none: reads the predictions of training; 7 bytes a sample"
    misleads = "few epochs give few distinct values: look at the ties"
    ties = "mean_loss"
    variants = ("paper", "hcat")

    when: Literal["train", "epoch_end"] = "train"
    variant: Literal["paper", "hcat"] = "paper"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._one_of("when", ("train", "epoch_end"))
        train = self.when == "train" and self.variant == "paper"
        self.needs = frozenset({Need.TRAIN_LOGITS if train else Need.LOGITS})

    def allocate(self, context: Context) -> None:
        """Set the counts to zero; nothing is learned yet."""
        super().allocate(context)
        self.correct = torch.zeros(context.n, dtype=torch.bool, device=context.device)
        self.events = torch.zeros_like(self.count)
        self.first_learned = torch.full_like(self.events, -1)

    def observe(self, record: Observation) -> None:
        """Compare with the presentation before, whenever that was."""
        rows, correct = record.rows, record.correct
        self.events[rows] += self.correct[rows] & ~correct
        self.correct[rows] = correct
        first = self.first_learned[rows]
        self.first_learned[rows] = first.masked_fill(correct & (first < 0), record.epoch)
        self.attend(record, record.logits)

    def raw(self) -> Tensor:
        """Return the events, (n,), and the number of epochs where never learned.

        H-CAT's: events an epoch, and 0 where never learned.
        """
        watched = self.context.outputs is not None  # then the base class knows the rows
        if not watched and self.broken_since() is not None:  # argmax of NaN is no prediction
            return torch.full((self.context.n,), torch.nan)
        if self.variant == "hcat":
            return self.events / max(self.n_heard, 1)
        return torch.where(self.first_learned < 0, self.n_heard, self.events)

    def missing(self) -> Mapping[str, Tensor]:
        """Return the rows presented once, or never, while others were more often.

        One presentation cannot show a change.
        """
        heard = self.n_heard
        once = {f"1_of_{heard}_epochs": self.count == 1} if heard > 1 else {}
        return {**super().missing(), **once}

    def details(self) -> Mapping[str, Tensor]:
        """Return ``forgetting_events``, the plain count, and ``first_learned``, -1 if never."""
        columns = {"forgetting_events": self.events, "first_learned": self.first_learned}
        return {
            name: torch.where(self._known, values.float(), torch.nan)
            for name, values in columns.items()
        }

    def flagged(self) -> Tensor:
        """Return the samples that were forgotten, or never learned (not in H-CAT's)."""
        never = (self.first_learned < 0) & (self.variant == "paper")
        return self._known & ((self.events > 0) | never)

    @property
    def _known(self) -> Tensor:
        """Rows with a score, (n,) bool."""
        return self.context.trainable & (self.count > min(1, self.n_heard - 1))
