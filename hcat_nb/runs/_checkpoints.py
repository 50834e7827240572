"""The listener that writes a checkpoint after each epoch."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from hcat_nb.training.events import EndEvent, EpochEvent, Listener

if TYPE_CHECKING:
    from hcat_nb.runs._journal import Journal
    from hcat_nb.runs._study import Study

__all__ = ["Checkpoints"]


class Checkpoints(Listener):
    """Writes a study's checkpoints; a failure stops the run.

    Goes before other listeners: what they draw from the global generators is
    no part of the training.

    Parameters
    ----------
    study : Study
        Prepared.
    journal : Journal
    number : int
        Which of the run's seeds, from 0.
    """

    essential = True

    def __init__(self, study: Study, journal: Journal, number: int) -> None:
        self._study: Study | None = study
        self._journal = journal
        self._number = number

    def on_epoch(self, event: EpochEvent) -> None:
        """Write a checkpoint."""
        study = self._study
        assert study is not None, "no epoch comes after the end"
        states = study.states()
        seconds = time.perf_counter() - study.began
        self._journal.write(
            self._number,
            study.trainer.progress(),
            states,
            seconds,
            study.epoch_files,
            study.trainer.observer.clock.seconds,
        )

    def on_end(self, event: EndEvent) -> None:
        """Let go of the study: a cycle would keep its tensors alive."""
        self._study = None
