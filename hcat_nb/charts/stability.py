"""How alike methods rank the samples from seed to seed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hcat_nb.charts.families import family_color, family_names
from hcat_nb.charts.rows import csv_table, need, numbers
from hcat_nb.charts.theme import overlaid

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.charts.offline import OfflineChart

_DOTS = 3000  # pairs that are drawn


def stability(
    pairs: pd.DataFrame,
    *,
    value: str = "spearman",
    method: str = "hcm",
    families: Mapping[Any, str] | None = None,
    title: str = "stability over seeds",
    width: int = 420,
    row: int = 18,
) -> OfflineChart:
    """Draw the rank correlation of each pair of seeds, its mean and spread, most stable first.

    ``pairs`` is :func:`hcat_nb.evaluation.stability.seed_pairs`'s; those without a figure are left
    out and counted. The line spans a standard deviation to either side of the mean.
    """
    import altair as alt

    need(pairs, (value, method), "the pairs have", "those of seed_pairs()")
    known = pairs[pairs[value].notna()]
    grouped = known.groupby(method, sort=False, observed=True)[value]
    table = grouped.agg(["mean", "std", "count"]).sort_values("mean", ascending=False)
    names = [str(name) for name in table.index]
    family = family_names(table.index, families)
    spread = table["std"].fillna(0)
    middle = csv_table(
        {
            "method": names,
            "family": list(family.values()),
            "mean": numbers(table["mean"]),
            "std": numbers(table["std"]),
            "low": numbers(table["mean"] - spread),
            "high": numbers((table["mean"] + spread).clip(upper=1)),
            "pairs": table["count"].tolist(),
        },
        text={"method", "family"},
    )
    drawn = known if len(known) <= _DOTS else known.sample(_DOTS, random_state=0)
    dots = csv_table(
        {
            "method": drawn[method].astype(str).tolist(),
            "family": [family[name] for name in drawn[method]],
            "value": numbers(drawn[value]),
        },
        text={"method", "family"},
    )
    y = alt.Y("method:N", title=None, scale=alt.Scale(domain=names), axis=alt.Axis(labelLimit=220))
    x = alt.Scale(domain=[min(0.0, float(known[value].min()) if len(known) else 0.0), 1.0])
    color = family_color(family.values())
    base = alt.Chart(middle).encode(
        y=y,
        color=color,
        tooltip=[
            alt.Tooltip("method:N"),
            alt.Tooltip("family:N"),
            alt.Tooltip("mean:Q", format=".3f"),
            alt.Tooltip("std:Q", title="standard deviation", format=".3f"),
            alt.Tooltip("pairs:Q", title="pairs of seeds", format=","),
        ],
    )
    words = "Spearman's rank correlation" if value == "spearman" else value
    return overlaid(
        [
            alt.Chart(dots)
            .mark_tick(thickness=1, height=row * 0.5, opacity=0.35)
            .encode(x=alt.X("value:Q", scale=x, title=words), y=y, color=color),
            base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", scale=x), x2="high:Q"),
            base.mark_point(filled=True, size=60, opacity=1).encode(x=alt.X("mean:Q", scale=x)),
        ],
        title,
        _caption(pairs, len(known), len(names), len(drawn)),
        width=width,
        height=row * max(1, len(names)),
    )


def _caption(pairs: pd.DataFrame, known: int, k: int, drawn: int) -> str:
    words = f"{k} methods, {known:,} correlations of two runs; the line is ± 1 standard deviation"
    if drawn < known:
        words += f"; {drawn:,} drawn"
    missing = len(pairs) - known
    return words + (f"; {missing:,} n/a" if missing else "")
