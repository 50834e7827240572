"""Turns the events of a run into what a notebook shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hcat_nb.charts.coloring import Coloring, by_group, by_truth
from hcat_nb.charts.data_map import CONFIDENCE, GROUP_COLUMN, X_AXES, data_map, map_chart
from hcat_nb.charts.picture import picture
from hcat_nb.jupyter.frames import Frame
from hcat_nb.jupyter.map_scene import MapScene
from hcat_nb.jupyter.progress import Progress
from hcat_nb.jupyter.screens import Display, Screen, open_screen
from hcat_nb.jupyter.static_view import StaticView
from hcat_nb.observation.dynamics import MapSnapshot
from hcat_nb.training.events import (
    EndEvent,
    EpochEvent,
    ExtraEvent,
    Listener,
    StartEvent,
    StepEvent,
)

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.charts.offline import OfflineChart

__all__ = ["LiveListener"]


class LiveListener(Listener):
    """Shows a run in the notebook while it trains, and leaves a picture.

    Parameters
    ----------
    display : {"auto", "widget", "static", "none"}
        See :func:`hcat_nb.jupyter.screens.open_screen`.
    x : {"variability", "aleatoric"}
        The map's horizontal axis.
    color : {"auto", "group", "truth"}
        ``"auto"``: the truth where something was injected, else the group.
    screen : Screen, optional
        One that is open already; ``display`` is then ignored.
    """

    def __init__(
        self,
        display: Display = "auto",
        *,
        x: Literal["variability", "aleatoric"] = "variability",
        color: Literal["auto", "group", "truth"] = "auto",
        screen: Screen | None = None,
    ) -> None:
        self.x = x
        self.color = color
        self._screen = open_screen(display) if screen is None else screen
        self._progress = Progress()
        self._begun = False
        self._start: StartEvent | None = None
        self._map: MapSnapshot | None = None

    def on_start(self, event: StartEvent) -> None:
        """Show the bar and prepare the map."""
        if self._screen is None:
            return
        self._begun = True
        self._start = event
        self._progress = Progress.started(event)
        self._screen.update(self._progress)
        self._mapped = self._scene(event)
        self._screen.start_map(self._mapped)

    def on_step(self, event: StepEvent) -> None:
        """Move the bar."""
        if self._screen is not None:
            self._progress = self._progress.after_step(event)
            self._screen.update(self._progress)

    def on_epoch(self, event: EpochEvent) -> None:
        """Move the map."""
        if self._screen is None or self._start is None:
            return
        self._map = event.map
        self._progress = self._progress.after_epoch(event)
        self._screen.update(self._progress)
        self._screen.move_map(self._frame_maker(self._mapped, event.map, self._progress.heading()))

    def on_extra(self, event: ExtraEvent) -> None:
        """Say how far the extra training is."""
        if self._screen is not None:
            self._progress = self._progress.after_extra(event)
            self._screen.update(self._progress)

    def on_end(self, event: EndEvent) -> None:
        """Show the last state and put the picture behind it."""
        if self._screen is None or self._start is None:
            return
        self._progress = self._progress.ended(event)
        try:
            self._screen.finish(self._progress, self._view(self._start))
        finally:
            self._start = self._map = None  # the arrays are the run's, not ours

    def discard(self) -> None:
        """Take everything away, for a run that did not begin."""
        if self._screen is not None and not self._begun:
            self._screen.discard()

    def _scene(self, start: StartEvent) -> MapScene:
        return MapScene(
            start.sample_ids,
            X_AXES[self.x],
            CONFIDENCE,
            chart=self._chart,
            color=lambda x, y: self._coloring(start, self._groups(x, y)),
            labels=start.labels,
            class_names=start.class_names,
        )

    def _chart(self, coloring: Coloring, caption: str, n_points: int) -> OfflineChart:
        return map_chart(
            X_AXES[self.x],
            coloring,
            title=self._progress.heading(),
            caption=caption,
            n_points=n_points,
            live=True,
        )

    def _frame_maker(
        self, scene: MapScene, snapshot: MapSnapshot, heading: str
    ) -> Callable[[], Frame]:
        def make() -> Frame:
            scene.move(snapshot.epoch, heading, getattr(snapshot, self.x), snapshot.confidence)
            return scene.frame()

        return make

    def _coloring(self, start: StartEvent, groups: np.ndarray) -> Coloring:
        if self._shows_truth(start):
            assert start.is_hard is not None
            return by_truth(start.is_hard)
        return by_group(groups, "group")

    def _shows_truth(self, start: StartEvent) -> bool:
        injected = start.is_hard is not None and bool(start.is_hard.any())
        return injected and self.color in ("auto", "truth")

    def _groups(self, x: np.ndarray, confidence: np.ndarray) -> np.ndarray:
        if self.x == "variability":
            from hcat_nb.methods.datamaps import datamaps_groups

            return datamaps_groups(confidence, x)
        from hcat_nb.methods.dataiq import dataiq_groups

        return dataiq_groups(confidence, x)

    def _view(self, start: StartEvent) -> StaticView:
        words = f"{self._progress.title()}: {len(start.labels):,} samples, {self._progress.line()}"
        if self._map is None:
            return StaticView(words)
        from hcat_nb.methods.dataiq import dataiq_groups

        # Data Maps' groups are thirds, whose sizes say nothing; Data-IQ's have thresholds.
        sizes = dataiq_groups(self._map.confidence, self._map.aleatoric)
        shares = ", ".join(
            f"{int((sizes == name).sum()):,} {name}" for name in ("easy", "ambiguous", "hard")
        )
        chart = data_map(
            self._table(
                start, self._map, self._groups(getattr(self._map, self.x), self._map.confidence)
            ),
            x=self.x,
            color="truth" if self._shows_truth(start) else "group",
            title=self._progress.heading(),
        )
        return StaticView(f"{words} · by Data-IQ {shares}", png=picture(chart))

    def _table(self, start: StartEvent, snapshot: MapSnapshot, groups: np.ndarray) -> pd.DataFrame:
        import pandas as pd

        columns: dict[str, Any] = {
            "confidence": snapshot.confidence,
            self.x: getattr(snapshot, self.x),
            GROUP_COLUMN[self.x]: groups,
        }
        if start.is_hard is not None:
            columns["is_hard"] = start.is_hard
        return pd.DataFrame(columns, index=start.sample_ids)
