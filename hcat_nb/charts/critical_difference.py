"""The critical-difference diagram: mean ranks on a line, bars over groups that do not differ.

After Demsar 2006, figure 1.  Each group has a bar at a height of its own with
a dot over each member; where methods that are not in the group lie between
two members, the bar is thin and dashed there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from hcat_nb.charts.families import family_color, family_names
from hcat_nb.charts.rows import csv_table, numbers
from hcat_nb.charts.theme import overlaid
from hcat_nb.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.charts.offline import OfflineChart

_STEP = 14  # pixels from bar to bar


def critical_difference_diagram(
    mean_ranks: pd.Series[float],
    groups: Sequence[Sequence[Any]] = (),
    *,
    critical_difference: float | None = None,
    families: Mapping[Any, str] | None = None,
    title: str = "critical-difference diagram",
    caption: str = "",
    width: int = 460,
    row: int = 18,
) -> OfflineChart:
    """Draw mean ranks, best at the left; methods without one are left out.

    Members of one of the ``groups`` do not differ significantly, as ``Comparison.cliques``; the
    length of ``critical_difference`` is drawn above the line. The caption stands under the title,
    behind the number of methods.
    """
    import altair as alt

    ranks = mean_ranks.dropna().sort_values(kind="stable")
    _check(ranks, groups)
    k = len(ranks)
    family = family_names(ranks.index, families)
    top = _STEP * (len(groups) + 1)
    segments, members = _bars(ranks, groups)
    end = max(k, float(ranks.max()) if k else 1, 2)
    x = alt.Scale(domain=[1, end], nice=False, zero=False)
    height = alt.Scale(domain=[-2.5 * _STEP, top + row * max(1, k)], reverse=True, nice=False)
    axis = alt.Axis(orient="top", title="mean rank (1 = best)", tickMinStep=1, grid=True)
    y: dict[str, Any] = {"scale": height, "axis": None}
    levels = [top + row * (place + 0.5) for place in range(k)]
    placed = csv_table(
        {
            "method": [str(name) for name in ranks.index],
            "family": list(family.values()),
            "rank": numbers(ranks),
            "level": levels,
            "zero": [0] * k,
        },
        text={"method", "family"},
    )
    tips = [
        alt.Tooltip("method:N"),
        alt.Tooltip("family:N"),
        alt.Tooltip("rank:Q", title="mean rank", format=".2f"),
    ]
    dots = alt.Chart(placed).encode(
        x=alt.X("rank:Q", scale=x, axis=axis), y=alt.Y("level:Q", **y), tooltip=tips
    )
    color = family_color(family.values())
    left = alt.expr("datum.rank < " + str((1 + end) / 2))
    layers: list[Any] = [
        dots.mark_rule(strokeWidth=1.2).encode(y=alt.Y("zero:Q", **y), y2="level:Q", color=color),
        dots.mark_point(filled=True, size=50, opacity=1).encode(color=color),
        # Names stand beside their dot, on the side where there is room.
        *(
            dots.transform_filter(f"{'' if at_left else '!'}({left.expr})")
            .mark_text(
                align="left" if at_left else "right",
                dx=8 if at_left else -8,
                fontSize=11,
                limit=240,
            )
            .encode(text="method:N", color=alt.value(alt.expr("ink")))
            for at_left in (True, False)
        ),
    ]
    if groups:
        bar = alt.Chart(segments).encode(
            x=alt.X("start:Q", scale=x), x2="stop:Q", y=alt.Y("level:Q", **y)
        )
        tip, solid = [alt.Tooltip("group:N", title="do not differ")], "datum.solid == 1"
        layers += [
            bar.mark_rule(color="#888888").encode(
                strokeWidth=alt.condition(solid, alt.value(5), alt.value(1)),
                strokeDash=alt.condition(solid, alt.value([1, 0]), alt.value([2, 3])),
                tooltip=tip,
            ),
            alt.Chart(members)
            .mark_point(filled=True, size=45, opacity=1, color="#888888")
            .encode(x=alt.X("rank:Q", scale=x), y=alt.Y("level:Q", **y), tooltip=tip),
        ]
    if critical_difference is not None and np.isfinite(critical_difference):
        layers += _ruler(critical_difference, x, y)
    words = f"{k} methods" + (f"; {caption}" if caption else "")
    if groups:
        words += "; a bar joins what does not differ significantly, its dots are the members"
    pixels = int(2.5 * _STEP + top + row * max(1, k))
    return overlaid(layers, title, words, width=width, height=pixels)


def _ruler(length: float, x: Any, y: Mapping[str, Any]) -> list[Any]:
    """Return the length of the critical difference, above the line, with its name."""
    import altair as alt

    rows = csv_table(
        {
            "start": [1.0],
            "stop": numbers([1 + length]),
            "level": [-1.2 * _STEP],
            "name": [f"CD = {length:.2f}"],
        },
        text={"name"},
    )
    base = alt.Chart(rows).encode(x=alt.X("start:Q", scale=x), y=alt.Y("level:Q", **y))
    ink = alt.value(alt.expr("ink"))
    return [
        base.mark_rule(strokeWidth=2, clip=True).encode(x2="stop:Q", color=ink),
        base.mark_tick(orient="vertical", thickness=2, height=9).encode(color=ink),
        base.mark_tick(orient="vertical", thickness=2, height=9, clip=True).encode(
            x=alt.X("stop:Q", scale=x), color=ink
        ),
        base.mark_text(align="left", baseline="bottom", dy=-5, fontSize=11).encode(
            text="name:N", color=ink
        ),
    ]


def _bars(
    ranks: pd.Series[float], groups: Sequence[Sequence[Any]]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the pieces of each bar, from member to member, and the members' dots."""
    order = {name: place for place, name in enumerate(ranks.index)}
    segments: dict[str, list[Any]] = {
        name: [] for name in ("group", "level", "start", "stop", "solid")
    }
    members: dict[str, list[Any]] = {name: [] for name in ("group", "level", "rank")}
    for number, group in enumerate(groups):
        inside = sorted(group, key=order.__getitem__)
        label, level = ", ".join(str(name) for name in inside), _STEP * (number + 1)
        at = [float(ranks[name]) for name in inside]
        members["group"] += [label] * len(at)
        members["level"] += [level] * len(at)
        members["rank"] += numbers(at)
        for first, second in pairwise(inside):
            values = (label, level, *numbers([ranks[first], ranks[second]]))
            solid = int(order[second] - order[first] == 1)
            for name, value in zip(segments, (*values, solid), strict=True):
                segments[name].append(value)
    return csv_table(segments, text={"group"}), csv_table(members, text={"group"})


def _check(ranks: pd.Series[float], groups: Sequence[Sequence[Any]]) -> None:
    if not ranks.index.is_unique:
        twice = ranks.index[ranks.index.duplicated()][0]
        raise DataError(f"two mean ranks are of {twice!r}", "one a method")
    for group in groups:
        for name in group:
            if name not in ranks.index:
                raise DataError(f"a group holds {name!r}, which has no mean rank", "ranked methods")
