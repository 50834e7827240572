"""A metric by the proportion of hard samples, with its spread over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hcat_nb.charts.rows import csv_table, need, numbers
from hcat_nb.charts.theme import line_styles, side_by_side

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.charts.offline import OfflineConcat
    from hcat_nb.charts.theme import LayerChart

MOST_PLOTS = 48
_NAMES = {"auroc": "AUROC", "auprc": "AUPRC"}
_LONGEST = 60  # characters of a plot's heading


def by_p(
    results: pd.DataFrame,
    *,
    metric: str = "auroc",
    facets: Sequence[str] = ("hardness", "dataset", "model"),
    method: str = "hcm",
    p: str = "p",
    guess: float | None = None,
    title: str | None = None,
    width: int = 220,
    height: int = 170,
    columns: int = 3,
) -> OfflineConcat:
    """Draw a plot for each combination of facets, in it a line for each method.

    ``results`` has a row for each run and method; NaN is left out and counted. A point is the mean
    over runs, the bar through it a standard deviation to either side. ``guess`` is what a guess
    gets (default: .5 for AUROC, else none).
    """
    import altair as alt

    table = p_means(results, metric, facets, method, p)
    words = _NAMES.get(metric, metric)
    methods = [str(name) for name in dict.fromkeys(results[method])]
    chosen = alt.selection_point(name="hcm_chosen", fields=["hcm"], bind="legend")
    groups = (
        list(table.groupby(list(facets), sort=False, dropna=False)) if facets else [((), table)]
    )
    groups = [(key, part) for key, part in groups if len(part)]
    level = 0.5 if guess is None and metric == "auroc" else guess
    drawn = [(_heading(key), part) for key, part in groups[:MOST_PLOTS]] or [("no result", table)]
    plots = [
        # One legend serves all plots: the selection belongs to the first.
        _plot(heading, part, methods, words, level, chosen, (width, height), owner=number == 0)
        for number, (heading, part) in enumerate(drawn)
    ]
    missing = int(results[metric].isna().sum())
    caption = (
        f"{len(methods)} methods, {len(results):,} results; mean ± standard deviation over runs"
    )
    caption += f"; {missing:,} n/a" if missing else ""
    fewer = int(_cells(results, metric, facets, method, p)["fewer"].sum())
    caption += f"; {fewer:,} points of fewer runs than others left out" if fewer else ""
    caption += f"; {MOST_PLOTS} of {len(groups)} drawn" if len(groups) > MOST_PLOTS else ""
    heading = title or f"{words} by proportion of hard samples"
    return side_by_side(plots, heading, caption, columns=columns)


def p_means(
    results: pd.DataFrame,
    metric: str,
    facets: Sequence[str] = ("hardness", "dataset", "model"),
    method: str = "hcm",
    p: str = "p",
) -> pd.DataFrame:
    """Return mean and spread of a metric by facet, method and proportion.

    Columns: the facets, the method, ``p``, ``mean``, ``std`` (sample standard deviation, NaN of
    one run), ``n_runs`` with a figure. A point of fewer runs than other methods have there is left
    out.
    """
    need(results, (metric, *facets, method, p), "the results have", "name the column of the table")
    table = _cells(results, metric, facets, method, p)
    kept = table[(table["count"] > 0) & ~table["fewer"]].drop(columns="fewer")
    return kept.rename(columns={p: "p", "count": "n_runs"})


def _cells(
    results: pd.DataFrame, metric: str, facets: Sequence[str], method: str, p: str
) -> pd.DataFrame:
    """Return mean, spread and count of each point, and whether others there have more runs."""
    how: dict[str, Any] = {"sort": False, "dropna": False, "observed": True}
    grouped = results.groupby([*facets, method, p], **how)[metric]
    table: pd.DataFrame = grouped.agg(["mean", "std", "count"]).reset_index()
    most = table.groupby([*facets, p], **how)["count"].transform("max")
    return table.assign(fewer=(table["count"] > 0) & (table["count"] < most))


def _plot(
    heading: str,
    part: pd.DataFrame,
    methods: Sequence[str],
    words: str,
    guess: float | None,
    chosen: Any,
    size: tuple[int, int],
    *,
    owner: bool,
) -> LayerChart:
    import altair as alt

    spread = part["std"].fillna(0)
    method = part.columns[list(part.columns).index("p") - 1]
    rows = csv_table(
        {
            "hcm": part[method].astype(str).tolist(),
            "p": numbers(part["p"]),
            "mean": numbers(part["mean"]),
            "std": numbers(part["std"]),
            "low": numbers(part["mean"] - spread),
            "high": numbers(part["mean"] + spread),
            "runs": part["n_runs"].tolist(),
        },
        text={"hcm"},
    )
    values = sorted({p for p in numbers(part["p"]) if p is not None})
    base = alt.Chart(rows).encode(
        x=alt.X(
            "p:Q",
            title="proportion made hard",
            axis=alt.Axis(values=values, grid=False),
            # Without a value there is no domain to find, and marks would lie at NaN.
            scale=alt.Scale(zero=False, padding=12) if values else alt.Scale(domain=[0, 1]),
        ),
        **line_styles(methods, "hcm", "method"),
        opacity=alt.condition(chosen, alt.value(1.0), alt.value(0.08)),
        tooltip=[
            alt.Tooltip("hcm:N", title="method"),
            alt.Tooltip("p:Q"),
            alt.Tooltip("mean:Q", title=words, format=".3f"),
            alt.Tooltip("std:Q", title="standard deviation", format=".3f"),
            alt.Tooltip("runs:Q"),
        ],
    )
    y = alt.Scale(domain=[0, 1]) if words in _NAMES.values() else alt.Scale(zero=False)
    layers: list[Any] = [
        base.mark_line(point=alt.OverlayMarkDef(size=22)).encode(
            y=alt.Y("mean:Q", title=words, scale=y)
        ),
        base.mark_rule(strokeWidth=1, clip=True).encode(y=alt.Y("low:Q", scale=y), y2="high:Q"),
    ]
    if owner:
        layers[-1] = layers[-1].add_params(chosen)
    if guess is not None:
        flat = alt.Chart(alt.InlineData([{"guess": guess}]))
        layers.insert(
            0, flat.mark_rule(color="#888888", strokeDash=[2, 2]).encode(y=alt.Y("guess:Q"))
        )
    return alt.LayerChart(
        layer=layers,
        width=size[0],
        height=size[1],
        title=alt.TitleParams(text=heading, anchor="start", fontSize=12, limit=size[0] + 40),
    )


def _heading(key: Any) -> str:
    parts = key if isinstance(key, tuple) else (key,)
    words = ", ".join(str(one) for one in parts if one is not None and one == one)
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"
