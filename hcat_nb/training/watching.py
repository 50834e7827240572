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

from hcat_nb.training.events import StartEvent, StepEvent
from hcat_nb.training.loop import Outcome, Trainer, Training
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
    """A trainer that is told of each batch and of the end of each epoch, and trains nothing."""

    told = most = 0  # batches of this epoch, and of the longest so far

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
        return len(self._training.history) + 1

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
            if loss is None:
                loss = self.observer.staged_loss(self.rows)
            self._observe(epoch)
            if math.isnan(loss):  # nobody told: what the samples have now stands in
                losses = self.dynamics.last_losses()
                loss = float(np.nanmean(losses)) if np.isfinite(losses).any() else loss
            self._epoch_over(epoch, loss, trained - self._since, trained, self._began)
        self.told, self._since = 0, time.perf_counter()

    def close(self, outcome: Outcome, message: str = "") -> None:
        """End it; after fewer epochs than planned, the model as it is now is the final one."""
        self._training.outcome = outcome
        epochs = self.epoch - 1
        if outcome != "failed" and epochs:
            with left_alone(self.model):
                if epochs < self.epochs:
                    self._observe_final(epochs)
                if self.afterwards is not None:
                    self.afterwards(self._training, self._audience.notify)
        self._close(outcome, message)
