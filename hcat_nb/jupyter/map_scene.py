"""What a live map shows: all samples, drawn or not, and what of them is selected.

The kernel owns every coordinate, selection and filter; the page gets what it
draws.  So a brush selects among all samples, and a selection, which is a set
of samples and no region, stays when the samples move.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hcat_nb.charts.layers import ALL_POINTS, HARDEST, MapAxis, MapLayers, split
from hcat_nb.errors import SpecError
from hcat_nb.jupyter.frames import (
    Column,
    Frame,
    codes,
    counts,
    encode,
    floats,
    names,
    numbers,
    small,
)

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.charts.coloring import Coloring

# Coloring, caption, number of points -> a chart.
ChartMaker = Callable[["Coloring", str, int], Any]


@dataclass(frozen=True)
class Bounds:
    """A rectangle of the map, in the units of its axes; its edges belong to it."""

    x: tuple[float, float]
    y: tuple[float, float]

    def holds(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return which points lie inside, array of bool; NaN never does."""
        inside: np.ndarray = (
            (x >= self.x[0]) & (x <= self.x[1]) & (y >= self.y[0]) & (y <= self.y[1])
        )
        return inside


class MapScene:
    """The n samples of a map; safe in any thread.

    ``chart`` makes the chart of a colouring, a caption and a number of points, ``color`` the
    colouring of coordinates x and y. ``labels`` are codes into ``class_names``, -1 where missing.
    Of more samples than can be drawn, ``points`` are: of the highest ``hardness``, without it of
    the lowest y.
    """

    def __init__(
        self,
        sample_ids: pd.Index,
        x_axis: MapAxis,
        y_axis: MapAxis,
        *,
        chart: ChartMaker,
        color: Callable[[np.ndarray, np.ndarray], Coloring],
        labels: np.ndarray | None = None,
        class_names: tuple[str, ...] = (),
        hardness: np.ndarray | None = None,
        points: int = HARDEST,
    ) -> None:
        n = len(sample_ids)
        self.sample_ids = sample_ids
        self.axes = (x_axis, y_axis)
        self._chart = chart
        self._color = color
        self._labels = np.full(n, -1) if labels is None else labels
        self._class_names = (*class_names, "")  # code -1 is the last
        self._hardness = hardness
        self._points = points
        self._lock = threading.RLock()
        self._epoch, self._heading, self._drawn = 0, "", ""
        self._x = self._y = np.full(n, np.nan)
        self._extras: Mapping[str, Mapping[str, Column]] = {}
        self._keep: np.ndarray | None = None
        self._recolored: Coloring | None = None
        self._selected = self._drawn_always = self._decided = np.empty(0, dtype=np.int64)
        self._followed: int | None = None
        self._trail: Callable[[int], tuple[np.ndarray, np.ndarray, np.ndarray]] | None = None

    # -- what moves ------------------------------------------------------

    def move(
        self,
        epoch: int,
        heading: str,
        x: np.ndarray,
        y: np.ndarray,
        *,
        extras: Mapping[str, Mapping[str, Column]] | None = None,
    ) -> None:
        """Put every sample somewhere; selection, filter and colouring stay."""
        with self._lock:
            self._epoch, self._heading, self._x, self._y = epoch, heading, x, y
            self._extras = extras or {}

    def trails(
        self, trail: Callable[[int], tuple[np.ndarray, np.ndarray, np.ndarray]] | None
    ) -> None:
        """Say where a sample was: position -> (epochs, x, y)."""
        with self._lock:
            self._trail = trail

    # -- what is chosen --------------------------------------------------

    @property
    def selected(self) -> np.ndarray:
        """Positions of the selected samples, ascending."""
        with self._lock:
            return self._selected

    def select(self, rows: np.ndarray) -> None:
        """Select the samples at these positions, and no others."""
        with self._lock:
            self._selected = np.unique(np.asarray(rows, dtype=np.int64))

    def mark_decided(self, rows: np.ndarray) -> None:
        """Mark the samples at these positions as decided, and no others."""
        with self._lock:
            self._decided = np.asarray(rows, dtype=np.int64)

    def follow(self, row: int | None) -> None:
        """Mark one sample and the way it went; None for no sample."""
        with self._lock:
            self._followed = row

    def show_only(self, rows: np.ndarray | None) -> None:
        """Show the samples at these positions; None for all."""
        keep = None
        if rows is not None:
            keep = np.zeros(len(self.sample_ids), dtype=bool)
            keep[rows] = True
        with self._lock:
            self._keep = keep

    def recolor(self, coloring: Coloring | None) -> None:
        """Colour by this; None for the map's own colours."""
        if coloring is not None and len(coloring.data) != len(self.sample_ids):
            raise SpecError(
                f"the colouring has {len(coloring.data):,} values",
                f"one for each of the {len(self.sample_ids):,} samples",
            )
        with self._lock:
            self._recolored = coloring

    def always_draw(self, rows: np.ndarray) -> None:
        """Draw the samples at these positions as points before others, flagged ones say."""
        with self._lock:
            self._drawn_always = np.asarray(rows, dtype=np.int64)

    def keep_drawn(self) -> None:
        """Go on drawing the samples that are points now, whatever comes."""
        with self._lock:
            self.always_draw(self._layers(self._coloring()).rows)

    def inside(self, bounds: Bounds) -> np.ndarray:
        """Return the positions of all samples inside that the filter lets through."""
        with self._lock:
            inside = bounds.holds(self._x, self._y)
            if self._keep is not None:
                inside &= self._keep
            return np.flatnonzero(inside)

    def rows_of(self, ids: Iterable[Any]) -> np.ndarray:
        """Return the positions of samples, of every one that has the id."""
        from hcat_nb.runs.review.samples import rows_with

        return rows_with(self.sample_ids, ids)

    # -- what the page gets ----------------------------------------------

    def spec(self) -> dict[str, Any]:
        """Return the specification of the chart, on named datasets."""
        with self._lock:
            coloring = self._coloring()
            layers = self._layers(coloring)
            # Before the first move nobody has a place, and each with a label will have one.
            n = layers.placed or int(np.count_nonzero(self._labels >= 0))
            drawn = n if n <= ALL_POINTS else min(n, self._points)
            chart = self._chart(coloring, layers.caption(), drawn)
        spec: dict[str, Any] = chart.to_dict()
        return spec

    def frame(self) -> Frame:
        """Return all datasets as they are now."""
        with self._lock:
            coloring = self._coloring()
            layers = self._layers(coloring)
            rows = layers.rows
            self._drawn = layers.caption()
            points = {
                **self._places(rows),
                "color": _colors(coloring, coloring.data[rows]),
                "label": codes(self._labels[rows] % len(self._class_names), self._class_names),
                "id": names(self.sample_ids[rows].tolist()),
                "row": counts(rows),
            }
            bins = {
                "i": small(layers.column),
                "j": small(layers.row),
                "n": counts(layers.count),
                "shade": small(layers.shade),
                "color": _colors(coloring, layers.color),
            }
            signals = {"heading": self._heading, "caption": self._caption()}
            return encode(
                self._epoch,
                signals,
                {"points": points, "bins": bins, **self._marks(), **self._extras},
            )

    def marks(self) -> Frame:
        """Return what is selected and followed, and nothing else."""
        with self._lock:
            return encode(self._epoch, {"caption": self._caption()}, self._marks())

    def _marks(self) -> dict[str, dict[str, Column]]:
        rows = self._selected[: self._points]
        if self._followed is not None and self._followed not in rows:
            rows = np.append(rows, self._followed)
        rows, decided = self._shown(rows), self._shown(self._decided[: self._points])
        empty = np.empty(0)
        epochs, x, y = empty, empty, empty
        if self._followed is not None and self._trail is not None:
            epochs, x, y = self._trail(self._followed)
        along, up = self.axes
        return {
            "selected": {
                **self._places(rows),
                "followed": small(rows == (-1 if self._followed is None else self._followed)),
                "id": names(self.sample_ids[rows].tolist()),
                "row": counts(rows),
            },
            "decided": self._places(decided),
            "trail": {
                "epoch": counts(epochs),
                "x": numbers(x, along.high, along.low),
                "y": numbers(y, up.high, up.low),
            },
        }

    def _shown(self, rows: np.ndarray) -> np.ndarray:
        """Return those of these rows that have a place and pass the filter."""
        rows = rows[np.isfinite(self._x[rows]) & np.isfinite(self._y[rows])]
        return rows if self._keep is None else rows[self._keep[rows]]

    def _places(self, rows: np.ndarray) -> dict[str, Column]:
        x, y = self.axes
        return {
            "x": numbers(self._x[rows], x.high, x.low),
            "y": numbers(self._y[rows], y.high, y.low),
        }

    def _coloring(self) -> Coloring:
        return self._recolored or self._color(self._x, self._y)

    def _layers(self, coloring: Coloring) -> MapLayers:
        x, y = self.axes
        return split(
            self._x,
            self._y,
            coloring,
            x_axis=x,
            y_axis=y,
            hardest=self._points,
            hardness=self._hardness,
            always=np.concatenate([self._selected, self._drawn_always]),
            keep=self._keep,
        )

    def _caption(self) -> str:
        words = self._drawn
        if len(self._selected):
            words += f" · {len(self._selected):,} selected"
            if len(self._selected) > self._points:
                words += f", {self._points:,} of them marked"
        return words


def _colors(coloring: Coloring, values: np.ndarray) -> Column:
    return codes(values, coloring.levels) if coloring.levels else floats(values)
