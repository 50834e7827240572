"""Turns the events of a run into what a notebook shows."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from hcat_nb.charts.coloring import Coloring, by_group, by_truth
from hcat_nb.charts.data_map import CONFIDENCE, X_AXES
from hcat_nb.charts.live_view import DATASETS, live_view
from hcat_nb.charts.picture import filled, spec_picture
from hcat_nb.errors import SpecError
from hcat_nb.jupyter.frames import Column, Frame, counts, rows
from hcat_nb.jupyter.live_panels import LivePanels
from hcat_nb.jupyter.map_scene import MapScene
from hcat_nb.jupyter.progress import ProgressBar
from hcat_nb.jupyter.replay import BUDGET, Replay
from hcat_nb.jupyter.screens import Display, Screen, open_screen
from hcat_nb.jupyter.static_view import StaticView
from hcat_nb.jupyter.throttle import Pace
from hcat_nb.observation.dynamics import MapSnapshot
from hcat_nb.training import events
from hcat_nb.training.interim import InterimScores

if TYPE_CHECKING:
    from hcat_nb.charts.offline import OfflineConcat

# Interim scores may take this share of the time; of a few thousand samples
# they take less than the free seconds and come with every frame.
_SCORING, _FREE = 0.01, 0.02
_STEP_SECONDS = 0.1  # the bar needs no more of a thousand steps a second

Chart = Any  # an Altair chart, or a function from ours to one


class LiveListener(events.Listener):
    """Shows a run in the notebook while it trains, and leaves a picture.

    ``color="auto"`` is the truth where something was injected, else the group. A ``chart``, or a
    function that makes one of ours, stands in place of
    :func:`~hcat_nb.charts.live_view.live_view`; ``default_chart`` is the one of every listener
    that is given none, so also of ``%hcat_train``. ``replay_bytes`` are kept of epochs to look at
    again; of a longer run every other one is kept, or every fourth. With an open ``screen``,
    ``display`` is ignored.

    >>> def wider(chart):
    ...     return chart.properties(spacing=40)
    >>> hcat.characterize("digits", listeners=[LiveListener(chart=wider)])  # doctest: +SKIP
    """

    default_chart: ClassVar[Chart | None] = None

    def __init__(
        self,
        display: Display = "auto",
        *,
        x: Literal["variability", "aleatoric"] = "variability",
        color: Literal["auto", "group", "truth"] = "auto",
        chart: Chart | None = None,
        replay_bytes: int = BUDGET,
        screen: Screen | None = None,
    ) -> None:
        self.x = x
        self.color = color
        self.chart = type(self).default_chart if chart is None else chart
        if self.chart is not None and not callable(self.chart):
            _check(self.chart)
        self._replay_bytes = replay_bytes
        self._screen = open_screen(display) if screen is None else screen
        self._progress = ProgressBar()
        self._start: events.StartEvent | None = None
        self._map: MapSnapshot | None = None
        self._pace = Pace(_SCORING, _FREE)
        self._next_step = float("-inf")

    def on_start(self, event: events.StartEvent) -> None:
        """Show the bar and prepare the map."""
        if self._screen is None:
            return
        self._start = event
        self._progress = ProgressBar.started(event)
        self._panels = LivePanels(list(event.methods), event.is_hard if _truth(event) else None)
        self._replay = Replay(X_AXES[self.x], CONFIDENCE, self._replay_bytes)
        self._scene = self._make_scene(event)
        self._screen.update(self._progress)
        self._screen.start_map(self._scene)

    def on_step(self, event: events.StepEvent) -> None:
        """Move the bar."""
        now = time.monotonic()
        if self._screen is not None and now >= self._next_step:
            self._next_step = now + _STEP_SECONDS
            self._progress = self._progress.after_step(event)
            self._screen.update(self._progress)

    def on_epoch(self, event: events.EpochEvent) -> None:
        """Move the map."""
        if self._screen is None or self._start is None:
            return
        self._map = event.map
        self._progress = self._progress.after_epoch(event)
        self._panels.add_epoch(event.epoch, event.loss, event.accuracy)
        if event.scores is not None and self._screen.ready() and self._pace.due():
            self._take(event.epoch, event.scores)
        self._screen.update(self._progress)
        self._move(event.map, self._progress.heading())

    def on_extra(self, event: events.ExtraEvent) -> None:
        """Say how far the extra training is."""
        if self._screen is not None:
            self._progress = self._progress.after_extra(event)
            self._screen.update(self._progress)

    def on_end(self, event: events.EndEvent) -> None:
        """Show the last state and put the picture behind it."""
        if self._screen is None or self._start is None:
            return
        self._progress = self._progress.ended(event)
        try:
            if self._map is not None:
                if event.scores is not None:
                    self._take(event.epochs, event.scores)
                self._move(self._map, self._progress.heading())
                self._screen.offer_epochs(self._replay.epochs, self._replayed, self._replay.note())
            self._screen.finish(self._progress, self._view(self._start))
            self._scene.keep_drawn()
        finally:
            self._start = self._map = None  # the arrays are the run's, not ours

    def _take(self, epoch: int, scores: InterimScores) -> None:
        with self._pace.spending():
            self._panels.add_scores(epoch, scores.take())

    def _move(self, snapshot: MapSnapshot, heading: str) -> None:
        assert self._screen is not None
        extras = self._panels.datasets()
        x, y = getattr(snapshot, self.x), snapshot.confidence
        if self._replay.epochs[-1:] == [snapshot.epoch]:  # the end of an epoch that was kept
            self._replay.amend(extras)
        else:
            self._replay.keep(snapshot.epoch, heading, x, y, extras)
        self._screen.move_map(partial(_moved, self._scene, snapshot, self.x, heading, extras))

    def _replayed(self, epoch: int) -> Frame:
        heading, x, y, extras = self._replay.at(epoch)
        earlier = [epoch] if epoch != self._replay.epochs[-1] else []
        self._scene.move(epoch, heading, x, y, extras={**extras, **_now(*earlier)})
        return self._scene.frame()

    def _make_scene(self, start: events.StartEvent) -> MapScene:
        scene = MapScene(
            start.sample_ids,
            X_AXES[self.x],
            CONFIDENCE,
            chart=lambda coloring, caption, n: self._chart(start, coloring, caption, n),
            color=lambda x, y: self._coloring(start, x, y),
            labels=start.labels,
            class_names=start.class_names,
        )
        scene.trails(self._replay.trail)
        return scene

    def _chart(
        self, start: events.StartEvent, coloring: Coloring, caption: str, n_points: int
    ) -> Chart:
        if self.chart is not None and not callable(self.chart):
            return self.chart
        chart: OfflineConcat = live_view(
            X_AXES[self.x],
            coloring,
            title=self._progress.heading(),
            caption=caption,
            n_points=n_points,
            n_epochs=start.n_epochs,
            methods=start.methods,
            truth=_truth(start),
        )
        if self.chart is None:
            return chart
        made = self.chart(chart)
        _check(made)
        return made

    def _coloring(
        self, start: events.StartEvent, x: np.ndarray, confidence: np.ndarray
    ) -> Coloring:
        if _truth(start) and self.color in ("auto", "truth"):
            assert start.is_hard is not None
            return by_truth(start.is_hard)
        # Of the other axis nobody knows how much a probability varied.
        spread = x if self.x == "variability" else np.zeros_like(x)
        return by_group(_so_far(confidence, spread), "group_so_far")

    def _view(self, start: events.StartEvent) -> StaticView:
        words = f"{self._progress.title()}: {len(start.labels):,} samples, {self._progress.line()}"
        if self._map is None:
            return StaticView(words)
        groups = _so_far(self._map.confidence, self._map.variability)
        shares = ", ".join(f"{int((groups == one).sum()):,} {one}" for one in ("fine", "uncertain"))
        # What the page shows, so that it holds for a chart of the user's too.
        heading, extras = self._progress.heading(), self._panels.datasets()
        frame = _moved(self._scene, self._map, self.x, heading, extras)
        spec = filled(self._scene.spec(), rows(frame), frame.content["signals"])
        return StaticView(f"{words} · labels so far: {shares}", png=spec_picture(spec))


def _moved(
    scene: MapScene, snapshot: MapSnapshot, x: str, heading: str, extras: Mapping[str, Any]
) -> Frame:
    """Return the frame of a scene whose samples stand where the snapshot has them."""
    places = getattr(snapshot, x), snapshot.confidence
    scene.move(snapshot.epoch, heading, *places, extras={**extras, **_now()})
    return scene.frame()


def _now(*epochs: int) -> dict[str, dict[str, Column]]:
    return {"now": {"epoch": counts(np.array(epochs, dtype=np.int64))}}


def _so_far(confidence: np.ndarray, variability: np.ndarray) -> np.ndarray:
    """Return the name of each sample's group, as far as a training that goes on can tell."""
    from hcat_nb.methods._groups import DOUBTS, by_doubt

    names: np.ndarray = np.array([*DOUBTS, ""])[by_doubt(confidence, variability)]
    return names


def _truth(start: events.StartEvent) -> bool:
    return start.is_hard is not None and bool(start.is_hard.any())


def _check(chart: Chart) -> None:
    """Refuse what is no chart, or shows nothing of a run."""
    if not hasattr(chart, "to_dict"):
        raise SpecError(f"chart is a {type(chart).__name__}", "an Altair chart, or a function")
    if not _named(chart.to_dict()) & set(DATASETS):
        raise SpecError(
            "the chart uses none of the datasets of a live view",
            "data by name, one of " + ", ".join(DATASETS),
            'alt.Chart(alt.NamedData("points"))',
        )


def _named(part: Any) -> set[str]:
    """Return the names of the datasets that a specification asks for."""
    if isinstance(part, Mapping):
        data = part.get("data")
        own = {data["name"]} if isinstance(data, Mapping) and "name" in data else set()
        return own.union(*map(_named, part.values()))
    if isinstance(part, list):
        return set().union(*map(_named, part))
    return set()
