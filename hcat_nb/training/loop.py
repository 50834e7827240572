"""The training loop: the only one.

Adam, cross-entropy, no schedule (the protocol of H-CAT, arXiv 2403.04551).
After each epoch the observer looks at the model, and listeners are told.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn

from hcat_nb.data.feature_stream import Features, streamed
from hcat_nb.errors import DivergedError
from hcat_nb.methods.base import Method
from hcat_nb.observation.buffered import Sharing
from hcat_nb.observation.dynamics import MapDynamics, MapSnapshot
from hcat_nb.observation.observer import Observer
from hcat_nb.seeds import child_seed
from hcat_nb.training.events import Control, EndEvent, EpochEvent, Listener, StartEvent, StepEvent
from hcat_nb.training.interim import ScoreBoard
from hcat_nb.training.lean_adam import LeanAdam
from hcat_nb.training.moving_parts import MovingParts
from hcat_nb.training.ranks import Ranks
from hcat_nb.training.seed import isolated_rng, kept_streams
from hcat_nb.training.shares import Replicated

Outcome = Literal["finished", "stopped", "failed"]
Moment = Literal["on_start", "on_step", "on_epoch", "on_extra", "on_end"]
Notify = Callable[[Moment, object], None]


@dataclass(frozen=True)
class EpochRecord:
    """One finished epoch: mean training loss, accuracy in evaluation mode, seconds."""

    epoch: int
    loss: float
    accuracy: float
    train_seconds: float
    observe_seconds: float


@dataclass
class Training:
    """What a :class:`Trainer` did."""

    outcome: Outcome = "finished"
    history: list[EpochRecord] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class TrainState:
    """How far a training is: its finished epochs, and the state of its moving parts after them."""

    history: Sequence[EpochRecord]
    parts: Mapping[str, Tensor]


def batches(rows: Tensor, size: int) -> list[Tensor]:
    """Split ``rows`` into batches of ``size``; a last batch of one joins the one before.

    BatchNorm cannot train on one sample, and dropping it would leave a sample out.

    >>> [len(batch) for batch in batches(torch.arange(9), 4)]
    [4, 5]
    """
    parts = list(rows.split(size))
    if len(parts) > 1 and len(parts[-1]) == 1:
        parts[-2:] = [torch.cat(parts[-2:])]
    return parts


@dataclass(eq=False)
class Trainer:
    """Trains a model in place and has it observed after every epoch."""

    model: nn.Module  # raw features in, logits out; on the device of the features
    features: Features
    labels: Tensor  # int64, shape (n,)
    rows: Tensor  # int64: two or more positions to train on
    observer: Observer
    dynamics: MapDynamics  # one of the observer's subscribers; gives the coordinates of the map
    epochs: int
    batch_size: int
    lr: float  # Adam's
    seed: int  # parent of order and dropout
    listeners: Sequence[Listener] = ()
    control: Control = field(default_factory=Control)
    # Where an earlier training was; the observer's subscribers have to be where they were then.
    start: TrainState | None = None
    # What else belongs to the run, before listeners hear its end; gets what was trained, whose
    # outcome it may change, and what tells the listeners.
    afterwards: Callable[[Training, Notify], None] | None = None
    weights: Tensor | None = None  # float32, shape (n,): what a sample's loss counts; mean 1
    ranks: Ranks | None = None  # those that train together; see :class:`RankTrainer`

    @property
    def leads(self) -> bool:
        """Whether what methods remember comes together here."""
        return self.ranks is None or self.ranks.leads

    def sharing_all(self) -> Sharing | None:
        """Return how an observer shares samples that each process observes; alone, not at all."""
        return None if self.ranks is None else Replicated(self.ranks)

    @property
    def steps(self) -> int:
        """Batches in an epoch."""
        return len(batches(self.rows, self.batch_size))

    def progress(self) -> TrainState:
        """Return where the training is; for a listener, when it hears of an epoch."""
        return TrainState(tuple(self._training.history), self._parts.state())

    def fit(self, start: StartEvent) -> Training:
        """Train all epochs, or until stopped; return outcome and history of the *finished* epochs.

        The model is as it was at the end of the last of them. If an epoch's loss is NaN or
        infinite, or the model after it is, a DivergedError: the model, the observer's subscribers
        and ``error.training`` are at the epoch before.
        """
        training = self._open()
        outcome: Outcome = "failed"
        message = ""
        try:
            self._audience.notify("on_start", start)
            with isolated_rng(child_seed(self.seed, "dropout"), self.features.device):
                self._run_epochs(training)
            if self.afterwards is not None:
                self.afterwards(training, self._audience.notify)
            outcome = training.outcome
        except BaseException as error:
            message = f"{type(error).__name__}: {error}"
            raise
        finally:
            self._close(outcome, message)
        return training

    def _open(self) -> Training:
        """Take a seat for each listener, and a fresh history."""
        self._audience = _Audience(self.listeners, self.features.device)
        self._board = ScoreBoard(self._scored_meanwhile(), self.features.device)
        self._training = Training()
        return self._training

    def _close(self, outcome: Outcome, message: str) -> None:
        """Tell the listeners of the end."""
        epochs = len(self._training.history)
        scores = self._board.at_end() if outcome != "failed" and epochs else None
        self._audience.notify("on_end", EndEvent(outcome, epochs, message, scores))
        if scores is not None:
            scores.close()

    def _run_epochs(self, training: Training) -> None:
        optimizer = LeanAdam(
            [one for one in self.model.parameters() if one.requires_grad], lr=self.lr
        )
        order = torch.Generator().manual_seed(child_seed(self.seed, "order"))
        self._parts = MovingParts(self.model, optimizer, order, self.features.device)
        if self.start is not None:  # a resume: `_resume` in runs/execution/carry_out.py sets it
            self._parts.load_state(self.start.parts)
            training.history.extend(self.start.history)
            self.start = None  # its tensors are not needed any more
        finished = _copy(self.model)
        began = time.perf_counter() - sum(
            record.train_seconds + record.observe_seconds for record in training.history
        )
        for epoch in range(len(training.history) + 1, self.epochs + 1):
            epoch_began = time.perf_counter()
            shuffled = self.rows[
                torch.randperm(len(self.rows), generator=order).to(self.rows.device)
            ]
            loss = self._train_epoch(epoch, shuffled, optimizer)
            if loss is None or not math.isfinite(loss) or self._is_broken(epoch, shuffled):
                self._return_to(finished, epoch - 1)
                if loss is not None:
                    raise DivergedError(epoch, loss, training)
                training.outcome = "stopped"
                return
            trained = time.perf_counter()
            self._observe(epoch)
            finished = _copy(self.model)
            self._epoch_over(epoch, loss, trained - epoch_began, trained, began)

    def _observe(self, epoch: int) -> None:
        """Have the model observed as it is after an epoch."""
        with isolated_rng(child_seed(self.seed, f"observe/{epoch}"), self.features.device):
            self.observer.end_epoch(epoch, last=epoch == self.epochs)

    def _epoch_over(
        self, epoch: int, loss: float, seconds: float, trained: float, began: float
    ) -> None:
        """Write an epoch, trained in ``seconds``, into the history, and tell the listeners."""
        now = time.perf_counter()
        accuracy, snapshot = self._look(epoch)
        record = EpochRecord(epoch, loss, accuracy, seconds, now - trained)
        self._training.history.append(record)
        elapsed = now - began
        scores = self._board.after_epoch(epoch, last=epoch == self.epochs)
        event = EpochEvent(
            epoch=epoch,
            n_epochs=self.epochs,
            loss=loss,
            accuracy=accuracy,
            elapsed=elapsed,
            remaining=elapsed / epoch * (self.epochs - epoch),
            map=snapshot,
            scores=scores,
        )
        self._audience.notify("on_epoch", event)
        scores.close()

    def _train_epoch(self, epoch: int, shuffled: Tensor, optimizer: LeanAdam) -> float | None:
        """Train one epoch; return its mean loss, or None if it was stopped."""
        self.model.train()
        total = torch.zeros((), dtype=torch.float64, device=self.features.device)
        parts = batches(shuffled, self.batch_size)
        inputs = streamed(self.features, [self._shown(batch) for batch in parts])
        for step, (batch, x) in enumerate(zip(parts, inputs, strict=True), start=1):
            if self._stop_requested():
                return None
            total += self._step(batch, x, optimizer)
            self._audience.notify("on_step", StepEvent(epoch, step, len(parts)))
        return self._summed(total) / len(shuffled)

    def _shown(self, batch: Tensor) -> Tensor:
        """Return which samples of a batch the model sees here."""
        return batch

    def _step(self, batch: Tensor, x: Tensor, optimizer: LeanAdam) -> Tensor:
        """Train on a batch, whose shown features are ``x``; return the sum of its losses before."""
        logits = self.model(x)
        loss = self._loss(logits, batch, "mean")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        self.observer.record_step(batch, logits)
        return loss.detach() * len(batch)

    def _loss(self, logits: Tensor, batch: Tensor, reduction: Literal["mean", "sum"]) -> Tensor:
        """Return the loss of a batch, each sample's times its weight."""
        logits, labels = logits.float(), self.labels[batch]
        if self.weights is None:
            return nn.functional.cross_entropy(logits, labels, reduction=reduction)
        losses = nn.functional.cross_entropy(logits, labels, reduction="none")
        losses = losses * self.weights[batch]
        return losses.mean() if reduction == "mean" else losses.sum()

    def _scored_meanwhile(self) -> list[Method]:
        """Return whom listeners may ask for scores while the run goes on."""
        if self.ranks is not None:  # each process knows its own samples only, until the end
            return []
        return [one for one in self.observer.subscribers if isinstance(one, Method)]

    def _stop_requested(self) -> bool:
        self.control.wait_while_paused()
        return self.control.stop.is_set()

    def _summed(self, losses: Tensor) -> float:
        """Return the sum of an epoch's losses; the model is trained for this epoch."""
        return float(losses)

    def _look(self, epoch: int) -> tuple[float, MapSnapshot]:
        """Return the accuracy, and where all samples stand on the map."""
        if isinstance(sharing := self.observer.sharing, Replicated):
            return sharing.look(self.dynamics, epoch)
        return self.dynamics.accuracy(), self.dynamics.snapshot(epoch)

    @torch.no_grad()
    def _is_broken(self, epoch: int, shuffled: Tensor) -> bool:
        """Whether trained weights, or what the model makes of a batch, are NaN or infinite.

        The loss of an epoch does not know its last step.  Probabilities are
        looked at, not logits: a class may be ruled out by a logit of -inf.  A
        few samples without an output are no divergence: they get no score.
        """
        self.model.eval()
        few = shuffled[-self.batch_size :]
        weights = [one for one in self.model.parameters() if one.requires_grad]
        found = [one.isfinite().all() for one in weights]
        with isolated_rng(child_seed(self.seed, f"observe/{epoch}"), self.features.device):
            found.append(self._has_output(few).all())
            if bool(torch.stack(found).all()):  # one wait for the device an epoch
                return False
            if not bool(torch.stack(found[:-1]).all()):
                return True
            parts = [self._has_output(part) for part in shuffled.split(self.observer.batch_size)]
        return 2 * int(torch.cat(parts).sum()) <= len(shuffled)

    def _has_output(self, rows: Tensor) -> Tensor:
        """Return for which rows the model gives finite probabilities, (b,), bool."""
        logits: Tensor = self.model(self.features[rows])
        return logits.float().softmax(dim=1).isfinite().all(dim=1)

    def _return_to(self, weights: dict[str, Tensor], epoch: int) -> None:
        """Undo the epoch that was begun; the epoch before becomes the final one."""
        self.model.load_state_dict(weights)
        self._observe_final(epoch)

    def _observe_final(self, epoch: int) -> None:
        """Forget the epoch that was begun, and have the model observed as the final one."""
        self.observer.discard_steps()
        if epoch >= 1:
            with isolated_rng(child_seed(self.seed, f"observe/{epoch}"), self.features.device):
                self.observer.observe_final(epoch)


def _copy(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


class _Audience:
    """Tells listeners; one that fails is reported once and detached, unless it is essential.

    What they draw from the global generators, and whether they switch
    gradients off, does not reach the training.
    """

    def __init__(self, listeners: Sequence[Listener], device: torch.device) -> None:
        self._listeners = list(listeners)
        self._device = device

    def notify(self, what: Moment, event: object) -> None:
        for listener in tuple(self._listeners):
            hear = getattr(listener, what)
            if getattr(hear, "__func__", None) is getattr(Listener, what):
                continue  # batches are many, and keeping the generators takes time
            try:
                with kept_streams(self._device), torch.enable_grad():
                    hear(event)
            except Exception as error:
                if listener.essential:
                    raise
                self._listeners.remove(listener)
                warnings.warn(
                    f"{type(listener).__name__}.{what} failed and hears no more of this run: "
                    f"{type(error).__name__}: {error}",
                    RuntimeWarning,
                    stacklevel=2,
                )
