"""Two scores of the same samples against each other: two methods, or two runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hcat_nb.charts.coloring import Coloring, by_column, by_truth, paint
from hcat_nb.charts.layers import CELLS, MapAxis, MapLayers, split
from hcat_nb.charts.rows import csv_table, numbers, shown
from hcat_nb.charts.theme import CLASSES, headed, themed
from hcat_nb.errors import DataError, SpecError, UnknownNameError
from hcat_nb.registry import nearest

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.charts.offline import OfflineChart

__all__ = ["POINTS", "Scale", "scatter"]

Scale = Literal["score", "rank"]
POINTS = 5_000  # drawn beside the density
_ALIKE = "samples"


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

    Up to 10,000 samples all are points.  Of more, the 5,000 on whose rank the
    two agree least are, and the others are shown as density; the chart says
    so.  Samples without one of the scores are not drawn but counted.

    Parameters
    ----------
    frame : pandas.DataFrame
        Index sample id; columns ``x`` and ``y``, higher = harder.  A column
        ``label`` is shown beside the pointer.
    x, y : str
        Columns.
    scale : {"score", "rank"}
        ``"rank"``: the share of samples that are easier, which long tails do
        not squeeze; ties at their mean.
    color : str, optional
        A column: ``is_hard``, or any other; missing values are grey.
    title : str, optional
    width, height : int
        Pixels of the plot; multiples of 128 draw the density without gaps.

    Returns
    -------
    altair.LayerChart

    Raises
    ------
    SpecError
        If there is no such scale.
    UnknownNameError
        If a column is absent.
    DataError
        If a column of scores holds no numbers.
    """
    import altair as alt

    from hcat_nb.charts.offline import OfflineChart

    if scale not in ("score", "rank"):
        raise SpecError(f"scale is {scale!r}", "'score' or 'rank'")
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
    (x_low, x_high), (y_low, y_high) = _range(xs, both), _range(ys, both)
    layers = split(
        np.where(both, xs, np.nan),
        ys,
        coloring,
        x_axis=MapAxis(x, x, x_low, x_high),
        y_axis=MapAxis(y, y, y_low, y_high),
        hardest=POINTS,
        hardness=away,
    )
    points = layers.rows
    words = {"score": "(higher = harder)", "rank": "(share of easier samples)"}[scale]
    axes = {
        "x": (f"{x} {words}", alt.Scale(domain=[x_low, x_high])),
        "y": (f"{y} {words}", alt.Scale(domain=[y_low, y_high])),
    }
    painted = paint(coloring) if color is not None else alt.value(CLASSES[0])
    cells = (
        alt.Chart(_cells(coloring, layers))
        .transform_calculate(
            x0=f"{x_low} + datum.i * {(x_high - x_low) / CELLS}",
            x1=f"{x_low} + (datum.i + 1) * {(x_high - x_low) / CELLS}",
            y0=f"{y_low} + datum.j * {(y_high - y_low) / CELLS}",
            y1=f"{y_low} + (datum.j + 1) * {(y_high - y_low) / CELLS}",
        )
        .mark_rect()
        .encode(
            x=alt.X("x0:Q", title=axes["x"][0], scale=axes["x"][1]),
            x2="x1:Q",
            y=alt.Y("y0:Q", title=axes["y"][0], scale=axes["y"][1]),
            y2="y1:Q",
            color=painted,
            opacity=alt.Opacity(
                "shade:Q", scale=alt.Scale(domain=[0, 255], range=[0.15, 0.95]), legend=None
            ),
            tooltip=[alt.Tooltip("n:Q", title="samples", format=",")],
        )
    )
    tooltip = [
        alt.Tooltip("id:N", title="sample"),
        alt.Tooltip("label:N"),
        alt.Tooltip("x:Q", title=x, format=".4g"),
        alt.Tooltip("y:Q", title=y, format=".4g"),
    ]
    if color is not None:
        kind = "N" if coloring.levels else "Q"
        tooltip.insert(2, alt.Tooltip(f"color:{kind}", title=coloring.title))
    dots = (
        alt.Chart(_points(frame, xs, ys, coloring, points))
        .mark_circle(size=float(np.clip(40_000 / max(len(points), 1), 12, 40)), opacity=0.7)
        .encode(
            x=alt.X("x:Q", title=axes["x"][0], scale=axes["x"][1]),
            y=alt.Y("y:Q", title=axes["y"][0], scale=axes["y"][1]),
            color=painted,
            tooltip=tooltip,
        )
    )
    n, placed = len(frame), int(both.sum())
    chart = OfflineChart(
        layer=[cells, dots],
        width=width,
        height=height,
        title=headed(title or f"{x} and {y}", _caption(n, placed, len(points))),
    )
    return themed(chart)


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


def _range(values: np.ndarray, known: np.ndarray) -> tuple[float, float]:
    """Return the smallest and the largest value, apart where they are one."""
    if not known.any():
        return 0.0, 1.0
    low, high = float(values[known].min()), float(values[known].max())
    half = 0.5 * max(abs(low), 1.0)
    return (low, high) if low < high else (low - half, high + half)


def _points(
    frame: pd.DataFrame, x: np.ndarray, y: np.ndarray, coloring: Coloring, rows: np.ndarray
) -> dict[str, Any]:
    labels = frame["label"].iloc[rows].tolist() if "label" in frame else [""] * len(rows)
    return csv_table(
        {
            "x": numbers(x[rows]),
            "y": numbers(y[rows]),
            "color": shown(coloring, coloring.data[rows]),
            "label": labels,
            "id": frame.index[rows].tolist(),
        },
        text={"label", "id"} | ({"color"} if coloring.levels else set()),
    )


def _cells(coloring: Coloring, layers: MapLayers) -> dict[str, Any]:
    return csv_table(
        {
            "i": layers.column.tolist(),
            "j": layers.row.tolist(),
            "n": layers.count.tolist(),
            "shade": layers.shade.tolist(),
            "color": shown(coloring, layers.color),
        },
        text={"color"} if coloring.levels else set(),
    )


def _caption(n: int, placed: int, drawn: int) -> str:
    words = f"{n:,} samples"
    if placed < n:
        words += f", {n - placed:,} of them without both scores"
    if drawn < placed:
        words += f": density, and as points the {drawn:,} on whose rank the two agree least"
    return words
