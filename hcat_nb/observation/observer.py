"""One pass over the samples that serves every method's needs.

The observer takes the union of all needs, makes each quantity once, and
hands every method the records it asked for.  Training logits are those that
the optimizer used; they are staged during an epoch and handed over at its
end, so that a stopped epoch leaves no trace.  Memory: 4 C + 1 bytes a sample
for the staged logits, until the last epoch's are handed over, and a bounded
chunk for the rest.

With ``from_training`` the training logits also stand for those at the end of
an epoch: whoever wants nothing else of it is told of them, and there is no
pass but for the others.

A pass records no gradients (but is not in inference mode: a module may keep
what it makes in a forward, and train on it later), except in the epochs in
which somebody is due who wants gradients: then the one forward serves all.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Protocol

import torch
from torch import Tensor, nn

from hcat_nb.data.feature_stream import Features, streamed
from hcat_nb.errors import HcatError
from hcat_nb.observation.buffered import Sharing
from hcat_nb.observation.clock import Clock
from hcat_nb.observation.embeddings import EmbeddingTap
from hcat_nb.observation.finite import FiniteOutputs
from hcat_nb.observation.probes import Batch, Probe, TracingProbe, make_probe
from hcat_nb.observation.record import Kind, Need, Observation, Options
from hcat_nb.observation.traced import traced_forward
from hcat_nb.observation.traits import InputTraits

# Handed over at a time: few calls, little memory.
_CHUNK = 4096  # rows
_CHUNK_VALUES = 2**19  # values of the samples, whose gradients may be as many, twice in memory
_KEPT = 2**23  # bytes of what a further sweep over the final model wants again

Quantity = tuple[Need, Options]


class Subscriber(Protocol):
    """What the observer asks of those it serves; every Method is one."""

    @property
    def needs(self) -> frozenset[Need]:
        """Quantities wanted."""

    @property
    def sweeps(self) -> int:
        """Passes over the final model wanted."""

    def options(self, need: Need) -> Options:
        """Return how to measure ``need``."""

    def due(self, epoch: int) -> bool:
        """Whether this epoch's ``epoch`` records are wanted."""

    def observe(self, record: Observation) -> None:
        """Take in a record."""


class Observer:
    """Measures a model for its subscribers.

    ``model``: raw features in, logits out; ``features`` (n, ...): raw, batches on the model's
    device; ``labels`` (n,) int64: observed codes, -1 where missing; ``rows`` (m,) int64:
    positions to observe, ascending; ``embedding``: the layer whose input is the embedding;
    required if someone needs it; ``n_classes``: number of logits; ``batch_size``: samples in a
    forward; measurements do not depend on it; ``seed``: parent of whatever a measurement draws;
    ``traits``: of the features; required if someone needs augmented copies; ``sharing``: with
    whom the samples are shared, if this process is not alone; ``from_training``: whether the
    logits of training serve who wants logits of each epoch; ``weights``, (n,): what a sample's
    loss counts, and so its gradient; ``tokens``: the layer that embeds token ids, if input
    gradients are to be those of its output; ``clock``: seconds of the shared forward
    (``forward``), of each further quantity (``dropout``, ``augmented``, ``gradient_norm``,
    ``input_gradients``) and of each subscriber.
    """

    def __init__(
        self,
        model: nn.Module,
        features: Features,
        labels: Tensor,
        rows: Tensor,
        subscribers: Sequence[Subscriber],
        *,
        n_classes: int,
        batch_size: int,
        seed: int,
        embedding: nn.Module | None = None,
        traits: InputTraits | None = None,
        sharing: Sharing | None = None,
        from_training: bool = False,
        weights: Tensor | None = None,
        tokens: nn.Embedding | None = None,
    ) -> None:
        self.model = model
        self.weights = weights
        self.tokens = tokens
        self.from_training = from_training
        self.sharing = sharing
        self.features = features
        self.labels = labels.clamp(min=0)
        self.rows = rows
        self.subscribers = list(subscribers)
        self.batch_size = batch_size
        self.n_classes = n_classes
        self._embedding = embedding
        self._traits = traits
        self._probes: dict[Quantity, Probe] = {}
        for subscriber in self.subscribers:
            for need in subscriber.needs:
                self._add_probe(need, subscriber.options(need), seed)
        self._staged: Tensor | None = None
        if from_training or self._wanting("train"):
            self._staged = torch.zeros(len(labels), n_classes, device=features.device)
        self._presented = torch.zeros(len(labels), dtype=torch.bool, device=features.device)
        self._exchanged = False
        self._kept: dict[int, tuple[Tensor, dict[Quantity, Tensor]]] = {}
        self.clock = Clock()

    def askers(self) -> dict[str, list[str]]:
        """Return who asked for each part of the observation, by the names of the clock."""
        asked: dict[str, list[str]] = {}
        for one in self.subscribers:
            for need in sorted(one.needs, key=lambda need: need.name):
                for part in () if need.kind == "epoch" and self._served(one) else _parts(need):
                    names = asked.setdefault(part, [])
                    if _name(one) not in names:
                        names.append(_name(one))
        return asked

    def rehearse(self) -> None:
        """Measure the gradients of two rows: a model that has none fails before training."""
        wanted = {quantity for quantity in self._probes if quantity[0].is_gradient}
        if wanted:
            self.model.eval()
            with torch.no_grad():
                self._measure(self.rows[:2], wanted, tap=None)
            # No part of any epoch; and what is done first may take longest.
            self.clock.seconds.clear()

    def record_step(self, rows: Tensor, logits: Tensor) -> None:
        """Stage the logits of a training forward, (b, C), of the samples at ``rows``."""
        if self._staged is not None:
            self._staged[rows] = logits.detach().float()
            self._presented[rows] = True

    def staged_loss(self, rows: Tensor) -> float:
        """Return the mean cross-entropy of what was staged of ``rows``, by all; NaN of nothing."""
        self._exchange()
        shown = rows[self._presented[rows]]
        if self._staged is None or not len(shown):
            return math.nan
        return float(nn.functional.cross_entropy(self._staged[shown], self.labels[shown]))

    def discard_steps(self) -> None:
        """Forget what was staged since the last epoch's end."""
        self._presented.zero_()
        self._exchanged = False

    def end_epoch(self, epoch: int, *, last: bool) -> None:
        """Hand over the epoch's training logits, then observe the model; epochs count from 1."""
        self._hand_over_training(epoch)
        if last:
            self._staged = None  # no step follows; the final model's logits need the room
        due = [one for one in self._wanting("epoch") if one.due(epoch) and not self._served(one)]
        self._pass(epoch, due, self._wanting("final") if last else [], sweep=0)
        if last:
            self._further_sweeps(epoch)

    def observe_final(self, epoch: int) -> None:
        """Observe the final model when training ended before its last epoch."""
        self._staged = None
        self._pass(epoch, [], self._wanting("final"), sweep=0)
        self._further_sweeps(epoch)

    @property
    def chunk(self) -> int:
        """Rows that subscribers are told of at a time."""
        per_row = max(1, math.prod(self.features.shape[1:]))
        return max(self.batch_size, min(_CHUNK, _CHUNK_VALUES // per_row))

    def _wanting(self, kind: Kind) -> list[Subscriber]:
        return [one for one in self.subscribers if any(need.kind == kind for need in one.needs)]

    def _add_probe(self, need: Need, options: Options, seed: int) -> None:
        if need.is_logits or need.kind in ("extra", "data"):
            return
        if need is Need.EMBEDDINGS and self._embedding is not None:
            return
        if need is Need.AUGMENTED and self._traits is None:
            raise HcatError(f"{need.name} cannot be measured without traits of the features")
        if (need, options) not in self._probes:
            traits = self._traits or InputTraits()
            n = len(self.features)
            self._probes[need, options] = make_probe(
                need, options, self.model, traits, n, seed, self.tokens
            )

    def _hand_over_training(self, epoch: int) -> None:
        if self._staged is None:
            return
        self._exchange()
        presented = torch.nonzero(self._presented).ravel()
        served = [one for one in self.subscribers if self._served(one) and one.due(epoch)]
        if self.sharing is not None:
            presented = self.sharing.owned(presented)
        for rows in presented.split(_CHUNK) if len(presented) else ():
            labels, logits, places = self.labels[rows], self._staged[rows], self._places(rows)
            self._tell(self._wanting("train"), Observation("train", epoch, places, labels, logits))
            self._tell(served, Observation("epoch", epoch, places, labels, logits))
        if self.sharing is not None and served:
            self.sharing.sweep_ended()
        self.discard_steps()

    def _exchange(self) -> None:
        """Fill in, once an epoch, what other processes staged."""
        if self.sharing is not None and self._staged is not None and not self._exchanged:
            self.sharing.exchange(self._staged, self._presented)
            self._exchanged = True

    def _served(self, subscriber: Subscriber) -> bool:
        """Whether the logits of training are all that a subscriber wants of an epoch."""
        wanted = [need for need in subscriber.needs if need.kind == "epoch"]
        return self.from_training and bool(wanted) and all(need.is_logits for need in wanted)

    def _further_sweeps(self, epoch: int) -> None:
        final = self._wanting("final")
        for sweep in range(1, max((one.sweeps for one in final), default=1)):
            self._pass(epoch, [], [one for one in final if one.sweeps > sweep], sweep=sweep)
        self._kept.clear()

    @torch.no_grad()
    def _pass(
        self,
        epoch: int,
        at_epoch: Sequence[Subscriber],
        at_final: Sequence[Subscriber],
        *,
        sweep: int,
    ) -> None:
        """Run the model once over all rows and serve both groups from it."""
        if not (at_epoch or at_final):
            return
        if self.from_training:  # who looks for rows without numbers looks at every measurement
            at_epoch = [*at_epoch, *(x for x in self.subscribers if isinstance(x, FiniteOutputs))]
        wanted = self._quantities(at_epoch, "epoch") | self._quantities(at_final, "final")
        again = self._quantities([one for one in at_final if one.sweeps > sweep + 1], "final")
        if sweep == 0:
            self._kept.clear()
        self.model.eval()
        with ExitStack() as stack:
            tap: EmbeddingTap | None = None
            if any(need is Need.EMBEDDINGS for need, _ in wanted) and self._embedding:
                tap = stack.enter_context(EmbeddingTap(self._embedding))
            chunks = self.rows.split(self.chunk)
            kept = self._kept if sweep else {}
            inputs = self._inputs([rows for at, rows in enumerate(chunks) if at not in kept])
            for number, rows in enumerate(chunks):
                known = kept.get(number)
                logits, measured = known or self._measure(rows, wanted, tap, inputs)
                if again and known is None:
                    self._keep(number, logits, {key: measured[key] for key in again})
                labels = self.labels[rows]
                groups: tuple[tuple[Kind, Sequence[Subscriber]], ...] = (
                    ("epoch", at_epoch),
                    ("final", at_final),
                )
                for kind, subscribers in groups:
                    places = self._places(rows)
                    record = Observation(kind, epoch, places, labels, logits, measured, sweep)
                    self._tell(subscribers, record)
        if self.sharing is not None:
            self.sharing.sweep_ended()

    def _places(self, rows: Tensor) -> Tensor:
        return rows if self.sharing is None else self.sharing.places(rows)

    def _keep(self, number: int, logits: Tensor, measured: dict[Quantity, Tensor]) -> None:
        """Keep what was measured for a chunk, if it fits, so that it need not be measured again."""
        chunks = [*self._kept.values(), (logits, measured)]
        tensors = [one for first, others in chunks for one in (first, *others.values())]
        if sum(one.numel() * one.element_size() for one in tensors) <= _KEPT:
            self._kept[number] = logits, measured

    def _tell(self, subscribers: Sequence[Subscriber], record: Observation) -> None:
        for one in subscribers:
            with self.clock(_name(one)):
                one.observe(record)

    def _quantities(self, subscribers: Sequence[Subscriber], kind: Kind) -> set[Quantity]:
        return {
            (need, one.options(need))
            for one in subscribers
            for need in one.needs
            if need.kind == kind and not need.is_logits
        }

    def _inputs(self, chunks: Sequence[Tensor]) -> Iterator[Tensor]:
        """Return the features of each batch of each chunk."""
        parts = [part for rows in chunks for part in rows.split(self.batch_size)]
        return streamed(self.features, parts)

    def _measure(
        self,
        rows: Tensor,
        wanted: set[Quantity],
        tap: EmbeddingTap | None,
        inputs: Iterator[Tensor] | None = None,
    ) -> tuple[Tensor, dict[Quantity, Tensor]]:
        parts: list[Tensor] = []
        measured: dict[Quantity, list[Tensor]] = {quantity: [] for quantity in wanted}
        tracing = [
            probe
            for quantity in wanted
            if isinstance(probe := self._probes.get(quantity), TracingProbe)
        ]
        inputs = self._inputs([rows]) if inputs is None else inputs
        for batch in self._batches(rows, tracing, inputs):
            parts.append(batch.logits.float())
            for quantity in wanted:
                if quantity[0] is Need.EMBEDDINGS:
                    assert tap is not None
                    measured[quantity].append(tap.take())
            for quantity in wanted & self._probes.keys():
                with self.clock(quantity[0].name.lower()):
                    value = self._probes[quantity](batch)
                    if quantity[0] is Need.GRADIENT_NORM and self.weights is not None:
                        value = value * self.weights[batch.rows]
                    measured[quantity].append(value)
        return torch.cat(parts), {key: torch.cat(values) for key, values in measured.items()}

    def _batches(
        self, rows: Tensor, tracing: Sequence[TracingProbe], inputs: Iterator[Tensor]
    ) -> Iterator[Batch]:
        for part in rows.split(self.batch_size):
            with self.clock("forward"):
                x, labels = next(inputs), self.labels[part]
                following = [probe for probe in tracing if probe.wants_trace(x)]
                if following:
                    traced = traced_forward(
                        self.model,
                        x,
                        leaf=any(probe.leaf for probe in following),
                        layers=[layer for probe in following for layer in probe.layers],
                        tokens=self.tokens,
                    )
                    batch = Batch(part, x, labels, traced.logits.detach(), traced)
                else:
                    batch = Batch(part, x, labels, self.model(x))
            yield batch


def _name(subscriber: Subscriber) -> str:
    """Return a method's key; of other subscribers, the name of their class."""
    return getattr(subscriber, "name", type(subscriber).__name__)


def _parts(need: Need) -> tuple[str, ...]:
    """Return which parts of the observation serve a need."""
    if need in (Need.TRAIN_LOGITS, Need.FEATURES):
        return ()
    if need.kind == "extra":  # other trainings, of which this observer sees nothing
        return (need.name.lower(),)
    if need.is_logits or need is Need.EMBEDDINGS:
        return ("forward",)
    return ("forward", need.name.lower())
