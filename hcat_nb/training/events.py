"""What the loop tells the world.  The loop knows listeners, not screens."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from hcat_nb.observation.dynamics import MapSnapshot

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from hcat_nb.methods.base import Moment
    from hcat_nb.training.interim import InterimScores


@dataclass(frozen=True, eq=False)
class StartEvent:
    """A run begins."""

    n_epochs: int
    n_steps: int  # batches in an epoch
    dataset: str
    model: str
    device: str
    sample_ids: pd.Index
    labels: np.ndarray  # observed class codes, int64, shape (n,); -1 where missing
    class_names: tuple[str, ...]
    is_hard: np.ndarray | None = None  # the injected truth, bool; None where nothing was injected
    methods: Mapping[str, Moment] = field(default_factory=dict)  # each with Method.scored_from


@dataclass(frozen=True)
class StepEvent:
    """A batch was trained on; comes often, so a listener limits itself."""

    epoch: int
    step: int
    n_steps: int


@dataclass(frozen=True, eq=False)
class EpochEvent:
    """An epoch was trained and observed."""

    epoch: int  # from 1
    n_epochs: int
    loss: float  # mean of the epoch's training
    accuracy: float  # share of observed labels predicted, in evaluation mode
    elapsed: float  # seconds since the start
    remaining: float  # seconds to the end, forecast
    map: MapSnapshot  # data-map coordinates of all samples; never written again
    scores: InterimScores | None = None  # so far; made if a listener takes them while it hears this


@dataclass(frozen=True)
class ExtraEvent:
    """An extra training, which a method asked for, goes on, after the run's own."""

    purpose: str
    number: int  # from 1
    of: int
    epoch: int  # finished ones
    n_epochs: int
    step: int  # finished batches of the epoch that runs
    n_steps: int
    over: bool = False

    def line(self) -> str:
        """Return the state in words.

        >>> ExtraEvent("fold 2 of 5", 2, 5, epoch=3, n_epochs=10, step=0, n_steps=40).line()
        'extra training 2/5 (fold 2 of 5), epoch 3/10'
        """
        return (
            f"extra training {self.number}/{self.of} ({self.purpose}), "
            f"epoch {self.epoch}/{self.n_epochs}"
        )


@dataclass(frozen=True)
class EndEvent:
    """Training is over: all epochs finished, stopped by the user, or failed.

    ``scores`` are those of all methods, made if a listener takes them while
    it hears this; None if no epoch finished, or the run failed.
    """

    outcome: Literal["finished", "stopped", "failed"]
    epochs: int
    message: str = ""
    scores: InterimScores | None = field(default=None, compare=False)


class Listener:
    """Hears what happens; override what you need.

    A listener that raises is reported once and detached, training goes on;
    one with ``essential = True`` (a checkpoint) stops the run instead.
    """

    essential: bool = False

    def on_start(self, event: StartEvent) -> None:
        """Hear that the run begins."""

    def on_step(self, event: StepEvent) -> None:
        """Hear that a batch was trained on."""

    def on_epoch(self, event: EpochEvent) -> None:
        """Hear that an epoch was trained and observed."""

    def on_extra(self, event: ExtraEvent) -> None:
        """Hear that an extra training goes on; comes often."""

    def on_end(self, event: EndEvent) -> None:
        """Hear that training is over.  Always comes, also after an error."""


@dataclass(eq=False)
class Control:
    """How another thread or a signal handler stops or pauses the loop.

    Both are looked at before every batch.  After a stop the run holds
    all *finished* epochs; the begun one is undone.
    """

    stop: threading.Event = field(default_factory=threading.Event)
    resume: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.resume.set()

    def wait_while_paused(self, poll: float = 0.1) -> None:
        """Return once the loop may go on."""
        while not self.resume.is_set() and not self.stop.is_set():
            self.resume.wait(poll)
