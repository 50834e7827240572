"""Scores of a run that still goes on, for whoever shows them.

They cost what scoring costs, so they are made only when somebody asks, at
most once an epoch, and only for the methods that learned something new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

import numpy as np
import torch

from hcat_nb.errors import HcatError
from hcat_nb.methods.base import Method, Moment
from hcat_nb.training.seed import isolated_rng

_ORDER: tuple[Moment, ...] = ("epoch", "final", "end")


class InterimScores:
    """The scores at one moment of a run, made by the first call of :meth:`take`.

    Accumulators go on after the listeners heard of the moment, so scores can
    be made only while they hear of it; what was made stays, and is never
    written again.
    """

    def __init__(self, make: Callable[[], Mapping[str, np.ndarray]]) -> None:
        self._make: Callable[[], Mapping[str, np.ndarray]] | None = make
        self._made: Mapping[str, np.ndarray] | None = None

    def take(self) -> Mapping[str, np.ndarray]:
        """Return the scores by method, arrays of shape (n,), float32, that cannot be written.

        Higher = harder; NaN where a sample has none yet. Methods that score later than now are
        absent; see ``Method.scored_from``. An HcatError, if nobody took them while the listeners
        heard of the moment.
        """
        if self._made is None:
            if self._make is None:
                raise HcatError(
                    "the run went on, and its scores of then were not taken",
                    "a call while a listener hears of the epoch",
                )
            self._made = MappingProxyType(dict(self._make()))
        return self._made

    def close(self) -> None:
        """Let the run go on."""
        self._make = None


class ScoreBoard:
    """Makes the interim scores of a run, which trains on ``device``."""

    def __init__(self, methods: Iterable[Method], device: torch.device) -> None:
        self._methods = list(methods)
        self._device = device
        self._known: dict[str, np.ndarray] = {}

    def after_epoch(self, epoch: int, *, last: bool) -> InterimScores:
        """Return the scores after an epoch was observed; ``last``: so was the final model."""
        for method in self._methods:
            if method.due(epoch) or any(need.kind == "train" for need in method.needs):
                self._known.pop(method.name, None)
        return InterimScores(lambda: self._scores("final" if last else "epoch"))

    def at_end(self) -> InterimScores:
        """Return the scores after everything was observed."""
        for method in self._methods:
            if method.scored_from != "epoch":  # the others did not change since their epoch
                self._known.pop(method.name, None)
        return InterimScores(lambda: self._scores("end"))

    def _scores(self, moment: Moment) -> dict[str, np.ndarray]:
        scores = {}
        with isolated_rng(0, self._device):  # a method may draw, and training draws on
            for method in self._methods:
                if _ORDER.index(method.scored_from) > _ORDER.index(moment):
                    continue
                if method.name not in self._known:
                    made = method.scores().scores.numpy()
                    made.flags.writeable = False
                    self._known[method.name] = made
                scores[method.name] = self._known[method.name]
        return scores
