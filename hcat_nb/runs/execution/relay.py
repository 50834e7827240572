"""Lets listeners hear several trainings as one, whose epochs count on."""

from __future__ import annotations

import dataclasses
import time

from hcat_nb.training.events import (
    EndEvent,
    EpochEvent,
    ExtraEvent,
    Listener,
    StartEvent,
    StepEvent,
)

__all__ = ["Relay"]


class Relay(Listener):
    """Stands between one listener and each of the trainings.

    Parameters
    ----------
    listener : Listener
    n : int
        Trainings in all.
    """

    def __init__(self, listener: Listener, n: int) -> None:
        self.essential = listener.essential
        self._listener = listener
        self._n = n
        self._number = 0
        self._epochs = 0
        self._began = time.perf_counter()
        self._heard_start = False
        self._failed = False

    def at(self, number: int) -> None:
        """Say which training comes, from 0."""
        self._number = number

    def on_start(self, event: StartEvent) -> None:
        """Pass the first one on."""
        self._epochs = event.n_epochs
        if not self._heard_start:
            self._heard_start = True
            self._tell("on_start", dataclasses.replace(event, n_epochs=self._n * event.n_epochs))

    def on_step(self, event: StepEvent) -> None:
        """Pass it on."""
        self._tell("on_step", dataclasses.replace(event, epoch=self._before + event.epoch))

    def on_epoch(self, event: EpochEvent) -> None:
        """Pass it on as an epoch of the whole."""
        epoch, n_epochs = self._before + event.epoch, self._n * event.n_epochs
        elapsed = time.perf_counter() - self._began
        self._tell(
            "on_epoch",
            dataclasses.replace(
                event,
                epoch=epoch,
                n_epochs=n_epochs,
                elapsed=elapsed,
                remaining=elapsed / epoch * (n_epochs - epoch),
                map=dataclasses.replace(event.map, epoch=epoch),
            ),
        )

    def on_extra(self, event: ExtraEvent) -> None:
        """Pass it on."""
        self._tell("on_extra", event)

    def on_end(self, event: EndEvent) -> None:
        """Pass the last one on, or the one that ends it all."""
        if event.outcome != "finished" or self._number == self._n - 1:
            self._tell("on_end", dataclasses.replace(event, epochs=self._before + event.epochs))

    @property
    def _before(self) -> int:
        return self._number * self._epochs

    def _tell(self, what: str, event: object) -> None:
        """Pass ``event`` on, unless the listener failed in an earlier training."""
        if self._failed:
            return
        try:
            getattr(self._listener, what)(event)
        except Exception:
            self._failed = True
            raise
