"""Dynamics that were measured before, replayed as the records of a run.

What a training observed and kept (all logits, all probabilities, or the
label's probability only) is read again epoch by epoch in chunks, and handed to
whoever asks for nothing more than that.  Nothing is held: memory is one chunk,
about 2^22 values, beside the accumulators of those who listen.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

import torch
from torch import Tensor

from hcat_nb.observation.observer import Subscriber
from hcat_nb.observation.record import Kind, Need, Observation

Content = Literal["logits", "probs", "label_probs"]
Moment = Literal["epoch_end", "train"]

_CHUNK_VALUES = 2**22
# A stored probability of 0 is one that was too small for its type.  Its
# logarithm is taken here, 87.3 nats below that of 1.
_TINY = torch.finfo(torch.float32).tiny

_PROVIDED: dict[tuple[Content, Moment], frozenset[Need]] = {
    ("logits", "epoch_end"): frozenset({Need.LOGITS, Need.LABEL_PROB, Need.FINAL_LOGITS}),
    ("probs", "epoch_end"): frozenset({Need.LOGITS, Need.LABEL_PROB, Need.FINAL_LOGITS}),
    ("label_probs", "epoch_end"): frozenset({Need.LABEL_PROB}),
    ("logits", "train"): frozenset({Need.TRAIN_LOGITS}),
    ("probs", "train"): frozenset({Need.TRAIN_LOGITS}),
    ("label_probs", "train"): frozenset(),
}


class Recorded(ABC):
    """Recorded dynamics of ``n`` samples over ``n_epochs`` epochs.

    ``content`` {"logits", "probs", "label_probs"}: what was recorded. Probabilities of all classes
    serve whoever asks for logits: they are logits, up to a constant that nothing depends on;
    ``moment`` {"epoch_end", "train"}: whether by the model in evaluation mode at the end of each
    epoch, or by the training forward.
    """

    content: Content
    moment: Moment = "epoch_end"
    n: int
    n_epochs: int

    @abstractmethod
    def chunks(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield positions (b,), int64, and values (b, C) or (b,), float32, of an epoch from 1.

        Samples that were not recorded in this epoch do not occur.
        """

    @property
    def provides(self) -> frozenset[Need]:
        """The needs that are met to the letter."""
        return _PROVIDED[self.content, self.moment]

    def observations(
        self, kinds: Sequence[Kind], epoch: int, labels: Tensor, sweep: int = 0
    ) -> Iterator[list[Observation]]:
        """Yield, chunk by chunk, a record of each kind.

        ``epoch``: from 1; ``labels`` (n,) int64: observed codes; 0 where a label is missing.
        """
        for rows, values in self.chunks(epoch):
            codes = labels[rows]
            if self.content == "label_probs":
                # Two classes: the label, and all the others together.
                values = torch.stack([values, 1 - values], dim=1)
                codes = torch.zeros_like(codes)
            if self.content != "logits":
                values = values.clamp(min=_TINY).log()
            yield [Observation(kind, epoch, rows, codes, values, sweep=sweep) for kind in kinds]


class Selected(Recorded):
    """Some of the samples of other dynamics, in an order of their own.

    ``rows`` (m,) int64: positions, without repetition.
    """

    def __init__(self, whole: Recorded, rows: Tensor) -> None:
        self.whole = whole
        self.content, self.moment = whole.content, whole.moment
        self.n, self.n_epochs = len(rows), whole.n_epochs
        self._place = torch.full((whole.n,), -1)
        self._place[rows] = torch.arange(len(rows))

    def chunks(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the chunks of the whole, without the rows that are not selected."""
        for rows, values in self.whole.chunks(epoch):
            places = self._place[rows]
            kept = places >= 0
            if kept.any():
                yield places[kept], values[kept]


def chunk_rows(n_values: int) -> int:
    """Return how many rows of ``n_values`` values are read at a time."""
    return max(1, _CHUNK_VALUES // max(1, n_values))


def replay(
    recorded: Recorded,
    labels: Tensor,
    subscribers: Sequence[Subscriber],
    on_epoch: Callable[[int], None] | None = None,
) -> None:
    """Hand the recorded dynamics to ``subscribers``, as an observer would have.

    Each gets records of the kinds that its needs name, whatever the moment of recording: whether
    that is right is for the caller to decide.

    ``labels`` (n,) int64: observed codes, -1 where missing; ``on_epoch``: told each epoch, from 1,
    when all have seen it.
    """
    codes = labels.clamp(min=0)
    final = [one for one in subscribers if _wants(one, "final")]
    for epoch in range(1, recorded.n_epochs + 1):
        groups: dict[Kind, list[Subscriber]] = {
            "train": [one for one in subscribers if _wants(one, "train")],
            "epoch": [one for one in subscribers if _wants(one, "epoch") and one.due(epoch)],
            "final": final if epoch == recorded.n_epochs else [],
        }
        _serve(recorded, epoch, codes, groups)
        if on_epoch is not None:
            on_epoch(epoch)
    for sweep in range(1, max((one.sweeps for one in final), default=1)):
        again = [one for one in final if one.sweeps > sweep]
        _serve(recorded, recorded.n_epochs, codes, {"final": again}, sweep)


def _serve(
    recorded: Recorded,
    epoch: int,
    codes: Tensor,
    groups: dict[Kind, list[Subscriber]],
    sweep: int = 0,
) -> None:
    kinds = [kind for kind, group in groups.items() if group]
    if not kinds:
        return
    for records in recorded.observations(kinds, epoch, codes, sweep):
        for record in records:
            for one in groups[record.kind]:
                one.observe(record)


def _wants(subscriber: Subscriber, kind: Kind) -> bool:
    return any(need.kind == kind for need in subscriber.needs)
