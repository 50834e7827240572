"""How far a run is, in one line of plain text."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # events load torch, and the first line is shown before that
    from hcat_nb.training.events import EndEvent, EpochEvent, ExtraEvent, StartEvent, StepEvent


@dataclass(frozen=True)
class ProgressBar:
    """The state of a run, as its events tell it: epochs and batches that are over.

    Its figures are NaN until the first epoch is.
    """

    dataset: str = ""
    model: str = ""
    device: str = ""
    n: int = 0
    n_epochs: int = 0
    n_steps: int = 0
    epoch: int = 0
    step: int = 0
    loss: float = math.nan
    accuracy: float = math.nan
    elapsed: float = math.nan
    remaining: float = math.nan
    outcome: str = "running"
    message: str = ""

    @classmethod
    def started(cls, event: StartEvent) -> ProgressBar:
        """Return the state at the start of a run."""
        return cls(
            dataset=event.dataset,
            model=event.model,
            device=event.device,
            n=len(event.sample_ids),
            n_epochs=event.n_epochs,
            n_steps=event.n_steps,
        )

    def after_step(self, event: StepEvent) -> ProgressBar:
        """Return the state after a batch."""
        return replace(self, epoch=event.epoch - 1, step=event.step, n_steps=event.n_steps)

    def after_epoch(self, event: EpochEvent) -> ProgressBar:
        """Return the state after an epoch."""
        return replace(
            self,
            epoch=event.epoch,
            step=0,
            loss=event.loss,
            accuracy=event.accuracy,
            elapsed=event.elapsed,
            remaining=event.remaining,
        )

    def after_extra(self, event: ExtraEvent) -> ProgressBar:
        """Return the state while an extra training goes on."""
        return replace(self, message=event.line(), remaining=math.nan)

    def ended(self, event: EndEvent) -> ProgressBar:
        """Return the state at the end."""
        return replace(
            self, outcome=event.outcome, epoch=event.epochs, step=0, message=event.message
        )

    @property
    def share(self) -> float:
        """Part of the run that is done, in [0, 1]."""
        if self.outcome == "finished":
            return 1.0
        if not self.n_epochs:
            return 0.0
        return min(1.0, (self.epoch + self.step / max(self.n_steps, 1)) / self.n_epochs)

    def title(self) -> str:
        """Return what is trained on what."""
        return f"{self.dataset}, {self.model} on {self.device}" if self.dataset else "hcat"

    def heading(self) -> str:
        """Return the title of the map."""
        return f"{self.dataset}, epoch {self.epoch} of {self.n_epochs}"

    def line(self) -> str:
        """Return the state in words.

        >>> ProgressBar("digits", "lenet", n=1797, n_epochs=10, epoch=3, loss=0.5, accuracy=0.9,
        ...          remaining=65.0).line()
        'epoch 3/10 · loss 0.500 · accuracy 90.0 % · 1:05 left'
        """
        if self.outcome == "running" and not self.n_epochs:
            return "preparing"
        words = [f"epoch {self.epoch}/{self.n_epochs}"]
        if self.outcome != "running":
            words[0] = f"{self.outcome} after {words[0]}"
        elif self.step:
            words[0] = f"epoch {self.epoch + 1}/{self.n_epochs}, batch {self.step}/{self.n_steps}"
        if math.isfinite(self.loss):
            words.append(f"loss {self.loss:.3f}")
        if math.isfinite(self.accuracy):
            words.append(f"accuracy {100 * self.accuracy:.1f} %")
        if self.outcome == "running" and math.isfinite(self.remaining):
            words.append(f"{_clock(self.remaining)} left")
        elif self.outcome != "running" and math.isfinite(self.elapsed):
            words.append(f"{_clock(self.elapsed)} in all")
        if self.message:
            words.append(self.message)
        return " · ".join(words)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(max(0, math.ceil(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
