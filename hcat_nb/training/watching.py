"""Stands where our loop would be, while somebody else's trains the model."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from hcat_nb.errors import ModelError
from hcat_nb.training.events import StartEvent, StepEvent
from hcat_nb.training.loop import EpochRecord, Outcome, Trainer, Training
from hcat_nb.training.seed import kept_streams, undisturbed


@contextmanager
def left_alone(model: nn.Module) -> Iterator[None]:
    """Look at a model that trains, so that nothing of it, nor of its training, is changed.

    Modes of all modules, ``.grad`` fields, buffers, the random state of Python, NumPy, the
    CPU and every CUDA device, gradient mode and autocast are put back as they were.
    """
    modes = [(one, one.training) for one in model.modules()]
    grads = [(one, one.grad) for one in model.parameters()]
    kept = [
        (one, name, value, value.clone())
        for one in model.modules()
        for name, value in one._buffers.items()
        if value is not None
    ]
    devices = range(torch.cuda.device_count() if torch.cuda.is_initialized() else 0)
    with undisturbed(), kept_streams(), torch.random.fork_rng(devices):
        try:
            for one, _ in grads:
                one.grad = None  # nothing is added to what is there
            yield
        finally:
            for module, mode in modes:
                module.training = mode
            for one, grad in grads:
                one.grad = grad
            with torch.no_grad():
                for module, name, value, before in kept:
                    if not torch.equal(value, before):
                        value.copy_(before)
                    module._buffers[name] = value


@dataclass(eq=False)
class Watching(Trainer):
    """A trainer that is told of each batch and of the end of each epoch, and trains nothing.

    Of several ``ranks`` each is told of its own batches, and observes its share of the samples.
    """

    told = most = 0  # batches of this epoch, and of the longest so far

    @property
    def was_told(self) -> bool:
        """Whether a batch of this epoch was told of; of several processes, all of them ask."""
        return self.told > 0 if self.ranks is None else self.ranks.any(self.told > 0)[0]

    @property
    def steps(self) -> int:
        """Batches in an epoch, as far as that is known."""
        return self.most

    def open(self, start: StartEvent) -> Training:
        """Let the listeners know that it begins."""
        training = self._open()
        self._began = self._since = time.perf_counter()
        self._audience.notify("on_start", start)
        return training

    @property
    def epoch(self) -> int:
        """The epoch that goes on, from 1."""
        return len(self.history) + 1

    @property
    def history(self) -> list[EpochRecord]:
        """The epochs that are over."""
        return self._training.history

    def go_on(self, history: list[EpochRecord]) -> None:
        """Take over the epochs that an earlier watch heard of, before the first of this one."""
        self.history.extend(history)
        self._began -= sum(one.train_seconds + one.observe_seconds for one in history)

    def batch(self, rows: Tensor, logits: Tensor) -> None:
        """Take the logits, (b, C), that the optimizer saw of the samples at ``rows``."""
        self.observer.record_step(rows, logits)
        self.told += 1
        self.most = max(self.most, self.told)
        self._audience.notify("on_step", StepEvent(self.epoch, self.told, self.most))

    def end_epoch(self, loss: float | None = None) -> None:
        """Have the model observed; ``loss`` is the epoch's, if it is known."""
        trained, epoch = time.perf_counter(), self.epoch
        with left_alone(self.model):
            self._agree()
            if loss is None:
                loss = self.observer.staged_loss(self.rows)
            self._observe(epoch)
            if math.isnan(loss):  # nobody told: what the samples have now stands in
                losses = self.dynamics.last_losses()
                sums = [float(np.nansum(losses)), float(np.isfinite(losses).sum())]
                total, n = sums if self.ranks is None else self.ranks.total(*sums)
                loss = total / n if n else loss
            self._epoch_over(epoch, loss, trained - self._since, trained, self._began)
        self.told, self._since = 0, time.perf_counter()

    def close(self, outcome: Outcome, message: str = "") -> None:
        """End it; after fewer epochs than planned, the model as it is now is the final one."""
        self._training.outcome = outcome
        epochs = self.epoch - 1
        if outcome != "failed" and epochs:
            with left_alone(self.model):
                self._agree()
                if epochs < self.epochs:
                    self._observe_final(epochs)
                if self.afterwards is not None:
                    self.afterwards(self._training, self._audience.notify)
        self._close(outcome, message)

    def _agree(self) -> None:
        """Have all ranks look at one model, while it is left alone: its buffers are rank 0's.

        ModelError if weights differ, so that there is no such model.
        """
        if self.ranks is None:
            return
        weights = list(self.model.parameters())
        first = [weight.detach().clone() for weight in weights]
        self.ranks.broadcast_tensors(first)
        same = all(map(torch.equal, weights, first))
        if self.ranks.any(not same)[0]:
            raise ModelError(
                "the weights are not the same in all processes",
                "a whole model in each, as of DistributedDataParallel",
                "hcat.record takes the logits of a model that is sharded",
            )
        self.ranks.broadcast_tensors(list(self.model.buffers()))
