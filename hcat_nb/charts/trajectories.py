"""Trajectories: how the probability of a sample's label went from epoch to epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hcat_nb.charts.curves import epoch_axis, thinned
from hcat_nb.charts.rows import csv_table, numbers
from hcat_nb.charts.theme import NONE, line_styles, overlaid
from hcat_nb.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from hcat_nb.charts.offline import OfflineChart

MOST_LINES = 20
OUTCOMES = {"correct": "circle", "incorrect": "cross", "unknown": "diamond"}
_BANDS = {"low": 0.05, "lower": 0.25, "upper": 0.75, "high": 0.95}


def trajectories(
    dynamics: pd.DataFrame,
    rows: Sequence[int] = (),
    *,
    outcomes: np.ndarray | None = None,
    labels: Sequence[Any] | None = None,
    title: str = "trajectories",
    width: int = 420,
    height: int = 260,
) -> OfflineChart:
    """Draw chosen samples before the band in which all others lie.

    ``dynamics`` has a column for each epoch, in order: the probability of the given label, NaN
    where the sample was not observed. ``rows`` are positions, of more than 20 the first 20, and
    ``labels`` theirs; ``outcomes`` of shape (len(rows), n_epochs) tell whether the model predicted
    the label: "correct", "incorrect" or "unknown" (the default).
    """
    import altair as alt

    places = np.asarray(rows, dtype=np.int64)
    n_epochs = dynamics.shape[1]
    if len(places) and not (places.min() >= 0 and places.max() < len(dynamics)):
        raise DataError(f"there are {len(dynamics)} samples", "positions below that")
    if outcomes is None:
        outcomes = np.full((len(places), n_epochs), "unknown", dtype=object)
    if outcomes.shape != (len(places), n_epochs):
        raise DataError(f"outcomes have the shape {outcomes.shape}", f"({len(places)}, {n_epochs})")
    drawn, epochs = places[:MOST_LINES], thinned(n_epochs)
    names = _names(dynamics.index[drawn].tolist(), drawn)
    values = dynamics.iloc[drawn, epochs].to_numpy(dtype=np.float64)
    given = [""] * len(drawn) if labels is None else [str(one) for one in labels][: len(drawn)]
    lines = {
        "epoch": np.tile(epochs + 1, len(drawn)).tolist(),
        "sample": np.repeat(np.array(names, dtype=object), len(epochs)).tolist(),
        "label": np.repeat(np.array(given, dtype=object), len(epochs)).tolist(),
        "p": numbers(values.ravel()),
        "outcome": outcomes[: len(drawn), epochs].ravel().tolist(),
    }
    x = epoch_axis(max(1, n_epochs))
    y_scale = alt.Scale(domain=[0, 1])
    words = "probability of the given label"
    band = alt.Chart(_bands(dynamics, epochs)).encode(x=x).mark_area(color=NONE)
    styles = line_styles(names, "sample")
    line = alt.Chart(csv_table(lines, text={"sample", "label", "outcome"})).encode(
        x=x,
        y=alt.Y("p:Q", title=words, scale=y_scale),
        color=styles["color"],
        tooltip=[
            alt.Tooltip("sample:N"),
            alt.Tooltip("label:N"),
            alt.Tooltip("epoch:Q"),
            alt.Tooltip("p:Q", title=words, format=".3f"),
            alt.Tooltip("outcome:N", title="predicted"),
        ],
    )
    shape = alt.Shape(
        "outcome:N",
        title="prediction",
        legend=alt.Legend(symbolFillColor=alt.expr("ink")),  # Vega's own is black on any page
        scale=alt.Scale(domain=list(OUTCOMES), range=list(OUTCOMES.values())),
    )
    return overlaid(
        [
            band.encode(y=alt.Y("low:Q", title=words, scale=y_scale), y2="high:Q").mark_area(
                color=NONE, opacity=0.25
            ),
            band.encode(y=alt.Y("lower:Q", title=words, scale=y_scale), y2="upper:Q").mark_area(
                color=NONE, opacity=0.45
            ),
            line.mark_line().encode(strokeDash=styles["strokeDash"]),
            line.mark_point(filled=True, size=45, opacity=1).encode(shape=shape),
        ],
        title,
        _caption(dynamics, len(places), len(drawn)),
        width=width,
        height=height,
    )


def _bands(dynamics: pd.DataFrame, epochs: np.ndarray) -> dict[str, Any]:
    table: dict[str, list[Any]] = {"epoch": (epochs + 1).tolist(), **{key: [] for key in _BANDS}}
    for epoch in epochs.tolist():
        values = dynamics.iloc[:, epoch].to_numpy(dtype=np.float64)
        values = values[np.isfinite(values)]
        found = np.quantile(values, list(_BANDS.values())) if len(values) else [np.nan] * 4
        for key, value in zip(_BANDS, numbers(found), strict=True):
            table[key].append(value)
    return csv_table(table, text=())


def _names(ids: Sequence[Any], rows: np.ndarray) -> list[str]:
    """Return a name for each line; where ids repeat, its position tells them apart."""
    names = [str(one) for one in ids]
    if len(set(names)) == len(names):
        return names
    return [f"{name} (row {row})" for name, row in zip(names, rows.tolist(), strict=True)]


def _caption(dynamics: pd.DataFrame, chosen: int, drawn: int) -> str:
    words = f"{chosen:,} chosen" if chosen else "none chosen"
    if drawn < chosen:
        words += f", the first {drawn} drawn"
    n, n_epochs = dynamics.shape
    return f"{words}; bands: the middle half and nine tenths of {n:,} samples; {n_epochs} epochs"
