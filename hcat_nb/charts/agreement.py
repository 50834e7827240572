"""The heat map of agreement: which methods rank the same samples as hard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hcat_nb.charts.rows import csv_table, need, numbers
from hcat_nb.charts.theme import NONE, overlaid
from hcat_nb.errors import check_word

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.charts.offline import OfflineChart

Measure = Literal["spearman", "kendall", "top_overlap"]
# Words, the range, and the scheme: correlations have a middle, an overlap has not.
MEASURES: dict[str, tuple[str, tuple[float, float], str]] = {
    "spearman": ("Spearman's rank correlation", (-1, 1), "blueorange"),
    "kendall": ("Kendall's tau-b", (-1, 1), "blueorange"),
    "top_overlap": ("overlap of the hardest", (0, 1), "blues"),
}
_WITH_FIGURES = 20  # methods, up to which cells hold their figure
_NOTHING = "n/a"


def agreement(
    pairs: pd.DataFrame,
    *,
    measure: Measure = "spearman",
    methods: Sequence[str] | None = None,
    title: str = "agreement of methods",
    cell: int = 34,
) -> OfflineChart:
    """Draw a cell for each pair of methods.

    ``pairs`` is :func:`hcat_nb.evaluation.consistency.agreement_table`'s; a figure that is missing
    is grey and called "n/a". ``methods`` gives their order (default: as they occur), ``cell`` the
    pixels of a side.
    """
    import altair as alt

    check_word("measure", measure, MEASURES)
    need(pairs, ("first", "second", measure), "the pairs have", "those of agreement_table()")
    if methods is None:
        methods = list(dict.fromkeys([*pairs["first"], *pairs["second"]]))
    names = [str(name) for name in methods]
    words, domain, scheme = MEASURES[measure]
    side = alt.Scale(domain=names)
    base = alt.Chart(_cells(pairs, measure, names)).encode(
        x=alt.X("first:N", title=None, scale=side, axis=alt.Axis(labelAngle=-60)),
        y=alt.Y("second:N", title=None, scale=side),
        tooltip=[
            alt.Tooltip("first:N", title="method"),
            alt.Tooltip("second:N", title="and"),
            alt.Tooltip("figure:N", title=words),
            alt.Tooltip("note:N", title="note"),
        ],
    )
    layers: list[Any] = [
        base.mark_rect(stroke="#88888880", strokeWidth=0.5).encode(
            color=alt.condition(
                "isValid(datum.value)",
                alt.Color(
                    "value:Q",
                    title=words,
                    scale=alt.Scale(domain=list(domain), scheme=scheme),  # type: ignore[arg-type]
                    legend=alt.Legend(titleLimit=240),
                ),
                alt.value(NONE),
            )
        )
    ]
    if len(names) <= _WITH_FIGURES:
        # Both schemes are dark at their ends: white there, black in the middle.
        dark = f"abs(datum.value) > {0.6 if domain[0] < 0 else 0.65}"
        layers.append(
            base.mark_text(fontSize=10).encode(
                text="figure:N",
                color=alt.condition(dark, alt.value("white"), alt.value("black")),
            )
        )
    side_px = cell * max(1, len(names))
    caption = _caption(pairs, measure, names)
    return overlaid(layers, title, caption, width=side_px, height=side_px)


def _cells(pairs: pd.DataFrame, measure: str, names: Sequence[str]) -> dict[str, Any]:
    """Return both triangles and the diagonal, where a method agrees with itself."""
    notes = pairs["note"].tolist() if "note" in pairs else [""] * len(pairs)
    found = [(name, name, 1.0, "the same method") for name in names]
    for first, second, value, note in zip(
        pairs["first"].astype(str), pairs["second"].astype(str), pairs[measure], notes, strict=True
    ):
        if first in names and second in names:
            found += [(first, second, value, note), (second, first, value, note)]
    return csv_table(
        {
            "first": [one[0] for one in found],
            "second": [one[1] for one in found],
            "value": numbers([one[2] for one in found]),
            "figure": [_figure(one[2]) for one in found],
            "note": [one[3] for one in found],
        },
        text={"first", "second", "figure", "note"},
    )


def _figure(value: float) -> str:
    # Adding 0 takes the sign off a zero.
    return f"{round(value, 2) + 0.0:.2f}" if np.isfinite(value) else _NOTHING


def _caption(pairs: pd.DataFrame, measure: str, names: Sequence[str]) -> str:
    words = f"{MEASURES[measure][0]} of {len(names)} methods"
    if measure == "top_overlap" and "top_chance" in pairs and pairs["top_chance"].notna().any():
        words += f"; by chance {pairs['top_chance'].mean():.2f}"
    missing = int(pairs[measure].isna().sum())
    return words + (f"; {missing} pairs n/a" if missing else "")
