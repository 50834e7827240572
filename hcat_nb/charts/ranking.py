"""Ranks of methods over many runs: how they are distributed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from hcat_nb.charts.families import family_color, family_names
from hcat_nb.charts.rows import csv_table, numbers
from hcat_nb.charts.theme import overlaid
from hcat_nb.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.charts.offline import OfflineChart

_STEPS = 60  # points along a violin's outline
_HALF = 0.42  # of a method's row, where its density is highest
_DOTS = 4000  # ranks that are drawn as dots, in all


def rank_distribution(
    ranks: pd.DataFrame,
    *,
    families: Mapping[Any, str] | None = None,
    title: str = "ranks of the methods",
    width: int = 420,
    row: int = 26,
) -> OfflineChart:
    """Draw a violin of each method's ranks, the ranks as dots and their mean, best first.

    ``ranks`` has blocks x methods, 1 = best, as ``Comparison.ranks``; NaN is left out.
    """
    import altair as alt

    if not ranks.columns.is_unique:
        twice = ranks.columns[ranks.columns.duplicated()][0]
        raise DataError(f"two columns of ranks are called {twice!r}", "one a method")
    means = ranks.mean().dropna().sort_values(kind="stable")
    names = [str(name) for name in means.index]
    family = family_names(means.index, families)
    k = len(names)
    end = max(2.0, float(np.nanmax(ranks.to_numpy())) if k else 2.0)
    axis = alt.Axis(
        labelExpr=f"{json.dumps(names)}[round(datum.value)]",
        values=list(range(k)),
        labelLimit=220,
        grid=False,
        ticks=False,
        domain=False,
    )
    y: dict[str, Any] = {
        "title": None,
        "axis": axis,
        "scale": alt.Scale(domain=[-0.5, max(k, 1) - 0.5], reverse=True, nice=False),
    }
    x = alt.X("rank:Q", title="rank (1 = best)", scale=alt.Scale(domain=[0.5, end + 0.5]))
    color = family_color(family.values())
    outlines, dots = _outlines(ranks, means, family), _dots(ranks, means, family)
    tips = [alt.Tooltip("method:N"), alt.Tooltip("family:N")]
    middle = csv_table(
        {
            "place": list(range(k)),
            "method": names,
            "family": list(family.values()),
            "rank": numbers(means),
        },
        text={"method", "family"},
    )
    return overlaid(
        [
            alt.Chart(outlines)
            .mark_area(orient="vertical", opacity=0.35, interpolate="monotone")
            .encode(
                x=x,
                y=alt.Y("lower:Q", **y),
                y2="upper:Q",
                color=color,
                detail="method:N",
                tooltip=tips,
            ),
            alt.Chart(dots)
            .mark_point(filled=True, size=8, opacity=0.55)
            .encode(x=x, y=alt.Y("place:Q", **y), color=color, tooltip=[*tips, "rank:Q"]),
            alt.Chart(middle)
            .mark_tick(orient="vertical", thickness=3, height=row * 0.7)
            .encode(
                x=x,
                y=alt.Y("place:Q", **y),
                color=alt.value(alt.expr("ink")),
                tooltip=[*tips, alt.Tooltip("rank:Q", title="mean rank", format=".2f")],
            ),
        ],
        title,
        f"{k} methods over {len(ranks):,} blocks; the bar is the mean rank",
        width=width,
        height=row * max(1, k),
    )


def rank_violins(ranks: pd.Series[float]) -> tuple[np.ndarray, np.ndarray]:
    """Return where a violin of one method's ranks is drawn and how wide it is there.

    The width is a Gaussian density of bandwidth by Scott's rule, but half a rank at least, divided
    by its highest value. Both are empty where there is no rank.

    >>> import pandas as pd
    >>> at, wide = rank_violins(pd.Series([2.0, 2.0, 2.0]))
    >>> float(at[wide.argmax()].round(1)), float(wide.max())
    (2.0, 1.0)
    """
    values = ranks.dropna().to_numpy(dtype=np.float64)
    if not len(values):
        return np.empty(0), np.empty(0)
    # SciPy's estimate has no density where all ranks are equal.
    spread = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    width = max(0.5, spread * len(values) ** -0.2)
    at = np.linspace(values.min() - 0.5, values.max() + 0.5, _STEPS + 1)
    levels, counts = np.unique(values, return_counts=True)
    density = (np.exp(-(((at[:, None] - levels) / width) ** 2) / 2) * counts).sum(1)
    return at, density / density.max()


def _outlines(
    ranks: pd.DataFrame, means: pd.Series[float], family: Mapping[Any, str]
) -> dict[str, Any]:
    columns: dict[str, list[Any]] = {
        name: [] for name in ("method", "family", "rank", "lower", "upper")
    }
    for place, name in enumerate(means.index):
        at, wide = rank_violins(ranks[name])
        columns["method"] += [str(name)] * len(at)
        columns["family"] += [family[name]] * len(at)
        columns["rank"] += numbers(at)
        columns["lower"] += numbers(place - _HALF * wide)
        columns["upper"] += numbers(place + _HALF * wide)
    return csv_table(columns, text={"method", "family"})


def _dots(
    ranks: pd.DataFrame, means: pd.Series[float], family: Mapping[Any, str]
) -> dict[str, Any]:
    """Return the ranks, moved up or down so that equal ones lie side by side."""
    columns: dict[str, list[Any]] = {name: [] for name in ("method", "family", "rank", "place")}
    most = max(1, _DOTS // max(1, len(means)))
    for place, name in enumerate(means.index):
        values = np.sort(ranks[name].dropna().to_numpy(dtype=np.float64))
        if len(values) > most:  # evenly along the sorted ranks
            values = values[np.linspace(0, len(values) - 1, most).round().astype(int)]
        _, starts, counts = np.unique(values, return_index=True, return_counts=True)
        offset = np.arange(len(values)) - np.repeat(starts + (counts - 1) / 2, counts)
        step = 2 * _HALF * 0.9 / max(1, int(counts.max(initial=1)) - 1)
        columns["method"] += [str(name)] * len(values)
        columns["family"] += [family[name]] * len(values)
        columns["rank"] += numbers(values)
        columns["place"] += numbers(place + offset * min(step, 0.08))
    return csv_table(columns, text={"method", "family"})
