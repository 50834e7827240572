"""Histograms of scores, a small plot for each method.

The bins are counted here, so that a specification holds no sample; a live
view fills the same specification from :func:`bin_counts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hcat_nb.charts.rows import csv_table
from hcat_nb.charts.theme import CLASSES, TRUTH, side_by_side
from hcat_nb.errors import DataError, SpecError

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.charts.offline import OfflineConcat

BINS = 40
_FLAGGED = {"not flagged": TRUTH["untouched"], "flagged": CLASSES[0]}
_PLAIN = {"samples": CLASSES[0]}


def histograms(
    scores: pd.DataFrame,
    *,
    is_hard: Any = None,
    flagged: pd.DataFrame | None = None,
    bins: int = BINS,
    columns: int = 3,
    title: str = "scores",
    width: int = 190,
    height: int = 110,
) -> OfflineConcat:
    """Draw how the scores of each method are distributed, a column each; NaN is counted.

    An overlay parts the bars: ``is_hard`` (bool, shape (n,)), or ``flagged``, the samples beyond a
    method's own threshold, a bool column for each method that has one.
    """
    if not 1 <= bins <= 1000:
        raise SpecError(f"bins is {bins!r}", "a whole number from 1 to 1,000")
    if columns < 1:
        raise SpecError(f"columns is {columns!r}", "a whole number from 1")
    if is_hard is not None and flagged is not None:
        raise SpecError("is_hard and flagged are both given", "one overlay")
    marks = _marks(scores, is_hard, flagged)
    levels = TRUTH if is_hard is not None else _PLAIN if flagged is None else _FLAGGED
    counted = [
        bin_counts(scores[name].to_numpy(), codes, list(levels), bins)
        for name, codes in marks.items()
    ]
    names = [str(name) for name in marks]
    table: dict[str, list[Any]] = {
        key: [value for one in counted for value in one[key]]
        for key in ("mark", "low", "high", "n")
    }
    table["hcm"] = [
        name for name, one in zip(names, counted, strict=True) for _ in range(len(one["n"]))
    ]
    scored = scores[list(marks)].notna().sum().tolist()
    all_scored = all(n == len(scores) for n in scored)
    return histograms_chart(
        names,
        levels,
        csv_table(table, text={"hcm", "mark"}),
        notes=[] if all_scored else [f"{len(scores) - n:,} without a score" for n in scored],
        columns=columns,
        title=title,
        caption=f"{len(scores):,} samples; harder to the right",
        width=width,
        height=height,
    )


def bin_counts(
    scores: np.ndarray, codes: np.ndarray, levels: Sequence[str], bins: int = BINS
) -> dict[str, list[Any]]:
    """Count the finite scores of one method; ``codes`` are positions in ``levels``, shape (n,).

    Returns columns ``mark`` (a level), ``low``, ``high`` and ``n`` of the bins that hold a sample.

    >>> counts = bin_counts(np.array([0.0, 1.0, 1.0]), np.array([0, 0, 1]), ["a", "b"], bins=2)
    >>> counts["mark"], counts["low"], counts["n"]
    (['a', 'a', 'b'], [0.0, 0.5, 0.5], [1, 1, 1])
    """
    known = np.isfinite(scores)
    values, codes = scores[known].astype(np.float64), codes[known]
    edges = np.histogram_bin_edges(values, bins)
    place = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, bins - 1)
    table = np.bincount(codes * bins + place, minlength=len(levels) * bins).reshape(-1, bins)
    which, where = np.nonzero(table)
    return {
        "mark": [levels[code] for code in which.tolist()],
        "low": [float(f"{value:.6g}") for value in edges[where].tolist()],
        "high": [float(f"{value:.6g}") for value in edges[where + 1].tolist()],
        "n": table[which, where].tolist(),
    }


def histograms_chart(
    methods: Sequence[str],
    levels: dict[str, str],
    rows: Any = None,
    *,
    notes: Sequence[str] = (),
    columns: int = 3,
    title: str,
    caption: str,
    width: int = 190,
    height: int = 110,
) -> OfflineConcat:
    """Return the specification, a plot for each method with a line of ``notes`` under its name.

    ``levels`` and their colours part the bars; one level has no legend. ``rows`` are ``hcm, mark,
    low, high, n``; without them, the data is named "histograms".
    """
    import altair as alt

    data = alt.NamedData("histograms") if rows is None else rows
    color = alt.Color(
        "mark:N",
        title=None,
        scale=alt.Scale(domain=list(levels), range=list(levels.values())),
        legend=None if len(levels) == 1 else alt.Legend(orient="bottom"),
    )
    # No method at all is an empty plot: a specification needs one.
    plots = [
        alt.Chart(
            data,
            width=width,
            height=height,
            title=alt.TitleParams(text=name, subtitle=note, fontSize=12),
        )
        .transform_filter(alt.FieldEqualPredicate(field="hcm", equal=name))
        .mark_bar(binSpacing=0)
        .encode(
            x=alt.X("low:Q", bin="binned", title=None, scale=alt.Scale(zero=False)),
            x2="high:Q",
            y=alt.Y("n:Q", title=None, stack="zero", axis=alt.Axis(tickCount=4)),
            color=color,
            tooltip=[
                alt.Tooltip("mark:N", title="samples"),
                alt.Tooltip("n:Q", title="count", format=","),
                alt.Tooltip("low:Q", title="from", format=".4g"),
                alt.Tooltip("high:Q", title="to", format=".4g"),
            ],
        )
        for name, note in zip(methods or [""], notes or [""] * max(1, len(methods)), strict=True)
    ]
    return side_by_side(plots, title, caption, columns=columns)


def _marks(
    scores: pd.DataFrame, is_hard: Any, flagged: pd.DataFrame | None
) -> dict[Any, np.ndarray]:
    """Return the code of each sample's bar, by method."""
    n = len(scores)
    nothing = np.zeros(n, dtype=np.int64)
    if is_hard is not None:
        nothing = np.asarray(is_hard, dtype=bool).astype(np.int64)
    if nothing.shape != (n,) or (flagged is not None and len(flagged) != n):
        raise DataError(f"the overlay is not of {n} samples", "one entry for each score")
    return {
        name: flagged[name].to_numpy(dtype=bool).astype(np.int64)
        if flagged is not None and name in flagged
        else nothing
        for name in scores.columns
    }
