"""The heat map of who beats whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hcat_nb.charts.rows import csv_table, need, numbers
from hcat_nb.charts.theme import heat_map, overlaid
from hcat_nb.errors import SpecError

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.charts.offline import OfflineChart

_NEEDED = ("first", "second", "n", "wins", "ties", "effect", "effect_low", "effect_high", "p_value")


def dominance(
    pairs: pd.DataFrame,
    *,
    methods: Sequence[Any] | None = None,
    alpha: float = 0.05,
    title: str = "who beats whom",
    cell: int = 34,
) -> OfflineChart:
    """Draw a cell for each ordered pair: the effect, and whether it is significant.

    ``pairs`` is :func:`hcat_nb.evaluation.dominance.who_beats_whom`'s; those of a p-value below
    ``alpha`` have an outline and a bold figure. ``methods`` gives their order.
    """
    import altair as alt

    if not 0 < alpha < 1:
        raise SpecError(f"alpha is {alpha!r}", "a level of significance in (0, 1)")
    need(pairs, _NEEDED, "the pairs have", "those of who_beats_whom()")
    if methods is None:
        methods = list(dict.fromkeys(pairs["first"]))
    names = [str(name) for name in methods]
    shown = pairs[pairs["first"].astype(str).isin(names) & pairs["second"].astype(str).isin(names)]
    side = alt.Scale(domain=names)
    base = alt.Chart(_cells(shown, alpha)).encode(
        x=alt.X("second:N", title="loses", scale=side, axis=alt.Axis(labelAngle=-60)),
        y=alt.Y("first:N", title="wins", scale=side),
        tooltip=[
            alt.Tooltip("first:N", title="this"),
            alt.Tooltip("second:N", title="against"),
            alt.Tooltip("score:N", title="wins of blocks"),
            alt.Tooltip("effect_words:N", title="effect [95 %]"),
            alt.Tooltip("p_value:Q", title="p, corrected", format=".3g"),
        ],
    )
    dark = alt.expr("abs(datum.effect) > 0.6 ? 'white' : 'black'")
    color = alt.Color(
        "effect:Q",
        title="rank-biserial effect",
        scale=alt.Scale(domain=[-1, 1], scheme="blueorange", reverse=True),
        legend=alt.Legend(titleLimit=240),
    )
    layers = heat_map(base, color, "significant", dark, outline=1.5)
    side_px = cell * max(1, len(names))
    caption = _caption(shown, alpha, len(names))
    return overlaid(layers, title, caption, width=side_px, height=side_px)


def _cells(pairs: pd.DataFrame, alpha: float) -> dict[str, Any]:
    return csv_table(
        {
            "first": pairs["first"].astype(str).tolist(),
            "second": pairs["second"].astype(str).tolist(),
            "effect": numbers(pairs["effect"]),
            "figure": [_signed(value) for value in pairs["effect"]],
            "effect_words": [
                f"{_signed(value)} [{_signed(low)}, {_signed(high)}]"
                for value, low, high in zip(
                    pairs["effect"], pairs["effect_low"], pairs["effect_high"], strict=True
                )
            ],
            "score": [
                f"{wins} of {n}" + (f", {ties} ties" if ties else "")
                for wins, n, ties in zip(pairs["wins"], pairs["n"], pairs["ties"], strict=True)
            ],
            "p_value": numbers(pairs["p_value"]),
            "significant": (pairs["p_value"] < alpha).astype(int).tolist(),
        },
        text={"first", "second", "figure", "effect_words", "score"},
    )


def _signed(value: float) -> str:
    # Adding 0 takes the sign off a zero.
    return f"{round(value, 2) + 0.0:+.2f}" if np.isfinite(value) else "n/a"


def _caption(pairs: pd.DataFrame, alpha: float, k: int) -> str:
    n = int(pairs["n"].max()) if len(pairs) else 0
    significant = int((pairs["p_value"] < alpha).sum()) // 2
    return (
        f"{k} methods over {n:,} blocks; +1: the row beats the column wherever they differ; "
        f"outlined: p < {alpha:g} ({significant} pairs)"
    )
