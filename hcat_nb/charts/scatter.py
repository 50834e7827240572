"""Two scores of the same samples against each other: two methods, or two runs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hcat_nb.charts.coloring import Coloring, by_column, by_truth
from hcat_nb.charts.data_map import map_bins, map_chart
from hcat_nb.charts.layers import CELLS, MapAxis, split
from hcat_nb.charts.rows import numbers, point_rows
from hcat_nb.charts.theme import CLASSES
from hcat_nb.errors import DataError, UnknownNameError, check_word
from hcat_nb.registry import nearest

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.charts.offline import OfflineChart

Scale = Literal["score", "rank"]
_ALIKE = "samples"
_EDGE = 0.02  # room beyond the outermost points, as a share of the axis


def scatter(
    frame: pd.DataFrame,
    x: str,
    y: str,
    *,
    scale: Scale = "score",
    color: str | None = None,
    title: str | None = None,
    width: int = 3 * CELLS,
    height: int = 3 * CELLS,
) -> OfflineChart:
    """Draw a sample at its two scores.

    Up to 10,000 samples all are points. Of more, the 5,000 on whose rank the two agree least are,
    and the others are shown as density; the chart says so. Samples without one of the scores are
    not drawn but counted. The scale "rank" is the share of samples that are easier, ties at their
    mean, which long tails do not squeeze. ``color`` names a column: ``is_hard``, or any other.
    """
    check_word("scale", scale, ("score", "rank"))
    for column in (x, y, color):
        if column is not None and column not in frame:
            known = [str(one) for one in frame.columns]
            raise UnknownNameError(f"the frame has no column {column!r}", nearest(column, known))
    coloring = _coloring(frame, color)
    xs, ys = _shares(frame[x]), _shares(frame[y])
    both = np.isfinite(xs) & np.isfinite(ys)
    away = np.where(both, np.abs(xs - ys), np.nan)
    if scale == "score":
        xs, ys = (frame[name].to_numpy(dtype=np.float64) for name in (x, y))
        xs, ys = np.where(both, xs, np.nan), np.where(both, ys, np.nan)
    axes = [_axis(name, values, scale) for name, values in ((x, xs), (y, ys))]
    layers = split(xs, ys, coloring, x_axis=axes[0], y_axis=axes[1], hardness=away)
    layers = replace(layers, ranking="least agreement in rank")
    return map_chart(
        axes[0],
        coloring,
        axes[1],
        title=title or f"{x} and {y}",
        caption=layers.caption(),
        n_points=len(layers.rows),
        width=width,
        height=height,
        points=point_rows(
            frame, numbers(xs[layers.rows]), numbers(ys[layers.rows]), coloring, layers.rows
        ),
        bins=map_bins(coloring, layers),
    )


def _coloring(frame: pd.DataFrame, color: str | None) -> Coloring:
    if color is None:
        return Coloring("", np.zeros(len(frame), dtype=np.int64), (_ALIKE,), (CLASSES[0],))
    if color == "is_hard":
        return by_truth(frame[color].to_numpy())
    return by_column(frame[color])


def _shares(column: pd.Series[Any]) -> np.ndarray:
    """Return the share of other samples below each, in [0, 1], ties at their mean."""
    import pandas as pd

    if not pd.api.types.is_numeric_dtype(column):
        raise DataError(f"the column {column.name!r} is of type {column.dtype}", "scores: numbers")
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    places = pd.Series(np.where(np.isfinite(values), values, np.nan)).rank().to_numpy()
    return (places - 1) / max(1, int(np.isfinite(places).sum()) - 1)


def _axis(name: str, values: np.ndarray, scale: Scale) -> MapAxis:
    """Return the axis over the values, of some length also where they are one."""
    words = {"score": "(higher = harder)", "rank": "(share of easier samples)"}[scale]
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    if low == high:
        half = 0.5 * max(abs(low), 1.0)
        low, high = low - half, high + half
    edge = _EDGE * (high - low)
    return MapAxis(name, f"{name} {words}", low - edge, high + edge)
