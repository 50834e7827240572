"""The data map: confidence against variability or aleatoric uncertainty.

One function makes the specification, on named data that a live view fills by
messages; :func:`data_map` fills the same specification from a frame.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hcat_nb.charts.coloring import SCHEMES, Coloring, by_column, by_group, by_truth, paint
from hcat_nb.charts.layers import CELLS, HARDEST, MapAxis, MapLayers, split
from hcat_nb.charts.rows import csv_table, need, point_rows, shown
from hcat_nb.charts.theme import DECIDED, themed
from hcat_nb.errors import SpecError, UnknownNameError, check_word
from hcat_nb.registry import nearest

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

    from hcat_nb.charts.offline import OfflineChart

_LINE = 88  # characters under the title
XAxis = Literal["variability", "aleatoric"]

X_AXES = {
    "variability": MapAxis(
        "variability", "variability (standard deviation over epochs)", low=0.0, high=0.5
    ),
    "aleatoric": MapAxis(
        "aleatoric", "aleatoric uncertainty (mean of p (1 - p))", low=0.0, high=0.25
    ),
}
CONFIDENCE = MapAxis("confidence", "confidence (mean probability of the label)", low=0.0, high=1.0)
GROUP_COLUMN = {"variability": "datamaps_group", "aleatoric": "dataiq_group"}


def data_map(
    frame: pd.DataFrame,
    *,
    x: XAxis = "variability",
    color: str = "group",
    title: str = "data map",
    width: int = 4 * CELLS,
    height: int = 3 * CELLS,
    hardest: int = HARDEST,
    note: str = "",
) -> OfflineChart:
    """Draw every sample by how a model learned it.

    Up to 10,000 samples all are points. Of more, the ``hardest`` (at most 5,000) of lowest
    confidence are, and the others are shown as density; the chart says so. Samples whose
    coordinates are missing are not drawn but counted.

    ``frame`` has the columns ``confidence`` and ``x``, and the one that ``color`` names: "group"
    (fine, uncertain, doubted; in its absence the paper's own groups), "truth" (what was made hard)
    or any other. A column ``label`` is shown beside the pointer. ``note`` is a second line under
    the title. Multiples of 128 pixels draw the density without gaps.
    """
    check_word("x", x, X_AXES)
    if not 1 <= hardest <= HARDEST:
        raise SpecError(f"hardest is {hardest!r}", f"a number from 1 to {HARDEST:,}")
    need(frame, ("confidence", x), "the frame has", "the details of a run")
    coloring = _coloring(frame, x, color)
    xs = frame[x].to_numpy(dtype=np.float64)
    ys = frame["confidence"].to_numpy(dtype=np.float64)
    layers = split(xs, ys, coloring, x_axis=X_AXES[x], y_axis=CONFIDENCE, hardest=hardest)
    across, up = (np.round(one[layers.rows], 4).tolist() for one in (xs, ys))
    return map_chart(
        X_AXES[x],
        coloring,
        title=title,
        caption=layers.caption(),
        note=note,
        n_points=len(layers.rows),
        width=width,
        height=height,
        points=point_rows(frame, across, up, coloring, layers.rows),
        bins=map_bins(coloring, layers),
    )


def map_chart(
    x: MapAxis,
    coloring: Coloring,
    y: MapAxis = CONFIDENCE,
    *,
    title: str,
    caption: str,
    n_points: int,
    width: int = 4 * CELLS,
    height: int = 3 * CELLS,
    points: Any = None,
    bins: Any = None,
    note: str = "",
    live: bool = False,
) -> OfflineChart:
    """Return the specification of a data map; fewer points are drawn larger.

    ``points`` are rows ``x, y, color, label, id`` and ``bins`` rows ``i, j, n, shade, color``, of
    cells counted from the origin; without them, data of these names. The title is the parameter
    ``heading``.

    A live map can be brushed (drag), zoomed (Ctrl and wheel) and panned (Shift and drag), has its
    caption as the parameter ``caption`` instead of a ``note``, and shows rows ``x, y, followed``
    of "selected", ``x, y`` of "decided", ``x, y, epoch`` of "trail".
    """
    import altair as alt

    from hcat_nb.charts.offline import OfflineChart

    named = alt.NamedData
    x_scale, y_scale = (alt.Scale(domain=[axis.low, axis.high]) for axis in (x, y))
    painted = paint(coloring)
    # Vega writes a description of each mark, for SVG alone and half of the time that a
    # draw takes; a live view is a canvas.
    silent: dict[str, Any] = {"aria": False} if live else {}
    place = {axis: (axis.high - axis.low) / CELLS for axis in (x, y)}
    cells = (
        alt.Chart(named("bins") if bins is None else bins)
        .transform_calculate(
            x0=f"{x.low} + datum.i * {place[x]}",
            x1=f"{x.low} + (datum.i + 1) * {place[x]}",
            y0=f"{y.low} + datum.j * {place[y]}",
            y1=f"{y.low} + (datum.j + 1) * {place[y]}",
        )
        .mark_rect(clip=True, **silent)
        .encode(
            x=alt.X("x0:Q", scale=x_scale, title=x.title),
            x2="x1:Q",
            y=alt.Y("y0:Q", scale=y_scale, title=y.title),
            y2="y1:Q",
            color=painted,
            opacity=alt.Opacity(
                "shade:Q", scale=alt.Scale(domain=[0, 255], range=[0.15, 0.95]), legend=None
            ),
            tooltip=[alt.Tooltip("n:Q", title="samples", format=",")],
        )
    )
    where = {
        "x": alt.X("x:Q", scale=x_scale, title=x.title),
        "y": alt.Y("y:Q", scale=y_scale, title=y.title),
    }
    dots = (
        alt.Chart(named("points") if points is None else points)
        .mark_circle(
            size=float(np.clip(40_000 / max(n_points, 1), 12, 40)),
            opacity=0.75,
            clip=True,
            **silent,
        )
        .encode(
            **where,
            color=painted,
            tooltip=[
                alt.Tooltip("id:N", title="sample"),
                alt.Tooltip("label:N", title="label"),
                alt.Tooltip(f"color:{'N' if coloring.levels else 'Q'}", title=coloring.title),
                alt.Tooltip("y:Q", title=y.name, format=".3f"),
                alt.Tooltip("x:Q", title=x.name, format=".3f"),
            ],
        )
    )
    layers = [cells, dots]
    if live:
        # The name is the same for every colour: by it a new view knows the brush of the one before.
        dots = dots.properties(name="map").add_params(*_gestures())
        layers = [cells, dots, *_selected(where)]
    chart = OfflineChart(
        layer=layers,
        width=width,
        height=height,
        title=_title(caption, live, note),
        description=f"{'live data map' if live else title}: {caption}",
    ).add_params(
        alt.param(name="heading", value=title),
        *([alt.param(name="caption", value=caption)] if live else []),
    )
    return themed(chart)


def _title(caption: str, live: bool, note: str = "") -> alt.TitleParams:
    import altair as alt

    ink = alt.expr("ink")
    if live:  # Vega-Lite takes no signal for a subtitle
        lines = alt.expr("[heading, caption]")
        return alt.TitleParams(lines, anchor="start", fontSize=12, color=ink, fontWeight="normal")
    return alt.TitleParams(
        alt.expr("heading"),
        subtitle=[caption, *textwrap.wrap(note, _LINE)] if note else caption,
        anchor="start",
        fontSize=14,
        subtitleFontSize=11,
        color=ink,
        subtitleColor=ink,
    )


def _gestures() -> list[alt.Parameter]:
    """Return a brush and a zoom that do not take each other's, or the page's, gestures."""
    import altair as alt

    end = "window:pointerup"
    brush = alt.selection_interval(
        name="brush",
        on=f"[pointerdown[!event.shiftKey], {end}] > window:pointermove!",
        translate=f"[pointerdown[!event.shiftKey], {end}] > window:pointermove!",
        zoom=False,
        clear="dblclick, unbrush",  # the latter comes from the program
    )
    zoom = alt.selection_interval(
        name="zoom",
        bind="scales",
        translate=f"[pointerdown[event.shiftKey], {end}] > window:pointermove!",
        zoom="wheel![event.ctrlKey || event.metaKey]",  # the plain wheel scrolls the page
    )
    return [brush, zoom]


def _selected(where: Mapping[str, Any]) -> list[alt.Chart]:
    """Return the layers of what is decided, of what is selected, and of the way that one went."""
    import altair as alt

    ink = alt.expr("ink")
    way = alt.Chart(alt.NamedData("trail")).encode(**where)
    return [
        way.mark_line(stroke=ink, strokeWidth=1.5, opacity=0.8, clip=True, aria=False).encode(
            order="epoch:Q"
        ),
        way.mark_circle(fill=ink, size=14, opacity=0.8, clip=True, aria=False).encode(
            tooltip=[alt.Tooltip("epoch:Q", title="epoch")]
        ),
        alt.Chart(alt.NamedData("decided"))
        .mark_point(
            shape="square", filled=False, stroke=DECIDED, strokeWidth=2, clip=True, aria=False
        )
        .encode(**where, size=alt.value(90)),
        alt.Chart(alt.NamedData("selected"))
        .mark_point(filled=False, stroke=ink, strokeWidth=1, opacity=0.8, clip=True, aria=False)
        .encode(
            **where,
            size=alt.condition("datum.followed", alt.value(160), alt.value(24)),
        ),
    ]


def _coloring(frame: pd.DataFrame, x: XAxis, color: str) -> Coloring:
    ours = "group" if "group" in frame else GROUP_COLUMN[x]
    column = {"group": ours, "truth": "is_hard"}.get(color, color)
    if column not in frame:
        known = ["group", "truth", *map(str, frame.columns)]
        wrong = f"cannot colour by {color!r}: the frame has no column {column!r}"
        raise UnknownNameError(wrong, nearest(color, known))
    if column in SCHEMES:
        return by_group(frame[column].to_numpy(dtype=object), column)
    if color == "truth":
        return by_truth(frame[column].to_numpy())
    return by_column(frame[column])


def map_bins(coloring: Coloring, layers: MapLayers) -> dict[str, Any]:
    """Return the rows of "bins": a cell each."""
    columns = {
        "i": layers.column.tolist(),
        "j": layers.row.tolist(),
        "n": layers.count.tolist(),
        "shade": layers.shade.tolist(),
        "color": shown(coloring, layers.color),
    }
    return csv_table(columns, text={"color"} if coloring.levels else set())
