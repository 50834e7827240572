"""Stands where our loop would be, while somebody else's trains the model."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from hcat_nb.seeds import child_seed
from hcat_nb.training.events import StartEvent, StepEvent
from hcat_nb.training.loop import Outcome, Trainer, Training
from hcat_nb.training.seed import isolated_rng, kept_streams, undisturbed


@contextmanager
def left_alone(model: nn.Module) -> Iterator[None]:
    """Look at a model that trains, so that nothing of it, nor of its training, is changed.

    Modes of all modules, ``.grad`` fields, buffers, the random state of Python, NumPy, the
    CPU and every CUDA device, gradient mode and autocast are put back as they were.
    """
    modules = list(model.modules())
    modes = [module.training for module in modules]
    grads = [(one, one.grad) for one in model.parameters()]
    kept = [
        (module, name, value, value.clone())
        for module in modules
        for name, value in module._buffers.items()
        if value is not None
    ]
    used = torch.cuda.is_available() and torch.cuda.is_initialized()
    devices = list(range(torch.cuda.device_count())) if used else []
    with ExitStack() as stack:
        stack.enter_context(undisturbed())
        stack.enter_context(kept_streams())
        stack.enter_context(torch.random.fork_rng(devices))
        try:
            for one, _ in grads:
                one.grad = None  # nothing is added to what is there
            yield
        finally:
            for module, mode in zip(modules, modes, strict=True):
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

    @property
    def steps(self) -> int:
        """Batches in an epoch: as many as the longest had so far."""
        return self._most

    def __post_init__(self) -> None:
        self._batches = self._most = 0

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

    @property
    def told(self) -> int:
        """Batches of this epoch so far."""
        return self._batches

    def batch(self, rows: Tensor, logits: Tensor) -> None:
        """Take the logits, (b, C), that the optimizer saw of the samples at ``rows``."""
        self.observer.record_step(rows, logits)
        self._batches += 1
        self._most = max(self._most, self._batches)
        self._audience.notify("on_step", StepEvent(self.epoch, self._batches, self._most))

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
        self._batches, self._since = 0, time.perf_counter()

    def close(self, outcome: Outcome, message: str = "") -> None:
        """End it; after fewer epochs than planned, the model as it is now is the final one."""
        training = self._training
        training.outcome = outcome
        epochs = len(training.history)
        if outcome != "failed" and epochs:
            with left_alone(self.model):
                self.observer.discard_steps()
                if epochs < self.epochs:
                    with isolated_rng(
                        child_seed(self.seed, f"observe/{epochs}"), self.features.device
                    ):
                        self.observer.observe_final(epochs)
                if self.afterwards is not None:
                    self.afterwards(training, self._audience.notify)
        self._close(outcome, message)
