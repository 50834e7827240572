"""A simulated training: what an observer would measure, faults of known kind planted.

No network is trained.  The logits behave as those of a training do: evidence
for a sample's own class grows with the epochs, a wrong label is memorised
late, and what resembles no class never gets far from zero.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from torch import Tensor

from hcat_nb.methods.base import Context, Method, Scored
from hcat_nb.observation.record import Need, Observation


@dataclass
class World:
    """All that was measured in one run of E epochs.

    labels (n,), -1 where missing; logits and train_logits (E, n, C);
    embeddings (n, d); members and copies (n, K, C); input_gradients
    (E, n, C, d) of each class's logit; hard (n,): the planted fault.
    """

    labels: Tensor
    train_logits: Tensor
    logits: Tensor
    embeddings: Tensor
    members: Tensor
    copies: Tensor
    input_gradients: Tensor
    hard: np.ndarray
    unreadable: Tensor | None = None
    skipped: dict[int, list[int]] = field(default_factory=dict)  # epoch -> rows

    @property
    def context(self) -> Context:
        n_epochs, _, n_classes = self.logits.shape
        return Context(self.labels, n_classes, n_epochs, seed=0, unreadable=self.unreadable)

    def replace(self, **changes: object) -> World:
        return dataclasses.replace(self, **changes)

    def records(
        self, method: Method, *, batch: int = 64, order: int | None = None
    ) -> Iterator[Observation]:
        """Yield what the observer hands to ``method``, in batches of some size and order."""
        kinds = {need.kind for need in method.needs}
        n_epochs = len(self.logits)
        for epoch in range(1, n_epochs + 1):
            if "train" in kinds:
                seen = self.context.trainable & self._presented(epoch)
                yield from self._chunks("train", epoch, self.train_logits, seen, batch, order)
            if "epoch" in kinds and method.due(epoch):
                seen = self._readable & self._presented(epoch)
                for record in self._chunks("epoch", epoch, self.logits, seen, batch, order):
                    yield self._measured(record, method)
        if "final" in kinds:
            for sweep in range(method.sweeps):
                for record in self._chunks(
                    "final", n_epochs, self.logits, self._readable, batch, order
                ):
                    yield self._measured(dataclasses.replace(record, sweep=sweep), method)
        if "data" in kinds:  # all at once, after training
            for record in self._chunks("data", n_epochs, self.logits, self._readable, 10**6, order):
                measured = {(Need.FEATURES, ()): self.embeddings[record.rows]}
                yield dataclasses.replace(record, measured=measured)

    def _measured(self, record: Observation, method: Method) -> Observation:
        """Return the record with whatever else of its kind ``method`` asks for."""
        rows, epoch = record.rows, record.epoch - 1
        measures: dict[Need, Callable[[], Tensor]] = {
            Need.EMBEDDINGS: lambda: self.embeddings[rows],
            Need.DROPOUT: lambda: self.members[rows],
            Need.AUGMENTED: lambda: self.copies[rows],
            # The last layer's, for features of unit length.
            Need.GRADIENT_NORM: lambda: (
                record.probs - torch.nn.functional.one_hot(record.labels, record.probs.shape[1])
            ).norm(dim=1),
            Need.INPUT_GRADIENTS: lambda: self.input_gradients[epoch, rows, record.labels],
        }
        measured = {
            (need, method.options(need)): measures[need]()
            for need in method.needs
            if need.kind == record.kind and not need.is_logits
        }
        return dataclasses.replace(record, measured=measured)

    @property
    def _readable(self) -> Tensor:
        everyone = torch.ones_like(self.labels, dtype=torch.bool)
        return everyone if self.unreadable is None else ~self.unreadable

    def _presented(self, epoch: int) -> Tensor:
        presented = torch.ones_like(self.labels, dtype=torch.bool)
        presented[self.skipped.get(epoch, [])] = False
        return presented

    def _chunks(
        self, kind: str, epoch: int, logits: Tensor, seen: Tensor, batch: int, order: int | None
    ) -> Iterator[Observation]:
        rows = torch.nonzero(seen).ravel()
        if order is not None:
            generator = torch.Generator().manual_seed(1000 * order + epoch)
            rows = rows[torch.randperm(len(rows), generator=generator).to(rows.device)]
        for part in rows.split(batch):
            labels = self.labels[part].clamp(min=0)
            yield Observation(kind, epoch, part, labels, logits[epoch - 1][part])


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """Waking a second thread costs more than these small tensors do."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def make_world() -> Callable[..., World]:
    return _make_world


@pytest.fixture
def score() -> Callable[..., Scored]:
    """Play a world to a method and return its scores."""

    def score(method: Method, world: World, **how: int) -> Scored:
        method.begin(world.context)
        for record in world.records(method, **how):
            method.observe(record)
        return method.scores()

    return score


def _make_world(
    fault: str = "mislabel",
    *,
    n: int = 300,
    n_classes: int = 4,
    n_epochs: int = 10,
    share: float = 0.1,
    seed: int = 0,
) -> World:
    """Simulate a run in which ``share`` of the samples have a fault.

    mislabel: the evidence is for another class; the label is memorised late.
    boundary: as much evidence for a neighbour as for the label.
    atypical: slow and unsteady evidence, an embedding off the class's cluster.
    ood: no evidence for any class, an embedding off all clusters.

    The input gradient of a sample between classes goes on to change, that of
    a wrong label is small and steady.
    """
    rng = np.random.default_rng(seed)
    truth = np.arange(n) % n_classes
    other = (truth + rng.integers(1, n_classes, n)) % n_classes
    hard = np.zeros(n, dtype=bool)
    hard[rng.choice(n, round(share * n), replace=False)] = True
    is_a = {kind: hard & (kind == fault) for kind in ("mislabel", "boundary", "atypical", "ood")}
    labels = np.where(is_a["mislabel"], other, truth)

    own, second = np.eye(n_classes)[truth], np.eye(n_classes)[other]
    pace = np.arange(1, n_epochs + 1)[:, None, None] / n_epochs  # (E, 1, 1)
    late = np.clip(2 * pace - 1, 0, None)
    evidence = 10 * pace * own
    evidence = np.where(is_a["mislabel"][:, None], 6 * pace * own + 5 * late * second, evidence)
    evidence = np.where(is_a["boundary"][:, None], 8 * pace * (own + second), evidence)
    evidence = np.where(is_a["atypical"][:, None], 2 * late * own, evidence)
    evidence = np.where(is_a["ood"][:, None], 0 * own, evidence)

    def noisy(scale: float, *shape: int, of: np.random.Generator = rng) -> np.ndarray:
        return of.normal(0, scale, shape)

    centres = 4 * noisy(1, n_classes, 8)
    offset = 4 * noisy(1, n, 8)
    embeddings = centres[truth] + noisy(1, n, 8)
    embeddings = np.where(
        is_a["boundary"][:, None], (centres[truth] + centres[other]) / 2, embeddings
    )
    embeddings = np.where(is_a["atypical"][:, None], centres[truth] / 3 + offset, embeddings)
    embeddings = np.where(is_a["ood"][:, None], offset, embeddings)

    def tensor(values: np.ndarray) -> Tensor:
        return torch.from_numpy(values.astype(np.float32))

    restless = np.select([is_a["mislabel"], is_a["boundary"]], [0.5, 3.0], 1.0)
    later = np.random.default_rng(seed + 1000)  # so that these draws move no others
    towards = noisy(1, n_classes, 6, of=later)  # each class's own pattern, in inputs of 6 elements
    changing = restless[:, None, None] * noisy(1, n_epochs, n, n_classes, 6, of=later)
    # The same small changes for all: they move what is near a boundary.
    shaken = evidence[-1][:, None] + noisy(0.7, n, 4, n_classes, of=later)
    sub_networks = evidence[-1][:, None] + noisy(1, n, 10, n_classes)
    return World(
        labels=torch.from_numpy(labels),
        train_logits=tensor(evidence + noisy(1, n_epochs, n, n_classes)),
        logits=tensor(evidence + noisy(0.7, n_epochs, n, n_classes)),
        embeddings=tensor(embeddings),
        members=tensor(sub_networks).softmax(2),
        copies=tensor(shaken),
        input_gradients=tensor(towards + changing),
        hard=hard,
    )
