"""Learning curves: loss and accuracy of each epoch.

One function makes the specification, on named data that a live view fills;
:func:`curves` fills the same specification from a frame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hcat_nb.charts.rows import csv_table, need, numbers
from hcat_nb.charts.theme import CLASSES, side_by_side

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

    from hcat_nb.charts.offline import OfflineConcat

_TICKS = 12
MOST_EPOCHS = 1000  # drawn; of more, so many evenly spaced ones


def curves(
    history: pd.DataFrame,
    *,
    title: str = "learning curves",
    width: int = 280,
    height: int = 170,
) -> OfflineConcat:
    """Draw loss and accuracy by epoch, side by side.

    ``history`` has an index of epochs from 1 and the columns ``loss`` and ``accuracy`` (in [0,
    1]); missing values are gaps.
    """
    need(history, ("loss", "accuracy"), "the history has", "run.history")
    rows = thinned(len(history))
    kept = history.iloc[rows]
    table = {"epoch": kept.index.tolist()}
    table |= {name: numbers(kept[name]) for name in ("loss", "accuracy")}
    return curves_chart(
        int(history.index.max()) if len(history) else 1,
        csv_table(table, text=()),
        title=title,
        caption=_caption(history, len(rows)),
        width=width,
        height=height,
    )


def curves_chart(
    n_epochs: int,
    rows: Any = None,
    *,
    title: str,
    caption: str,
    width: int = 280,
    height: int = 170,
) -> OfflineConcat:
    """Return the specification of learning curves; their axis ends at ``n_epochs`` from the start.

    ``rows`` are ``epoch, loss, accuracy``; without them, the data is named "curves".
    """
    import altair as alt

    data = alt.NamedData("curves") if rows is None else rows
    scales = {"loss": alt.Scale(zero=True), "accuracy": alt.Scale(domain=[0, 1])}
    formats = {"loss": ".3~g", "accuracy": ".0%"}
    plots = [
        alt.Chart(data, width=width, height=height)
        .mark_line(color=CLASSES[0], point=alt.OverlayMarkDef(color=CLASSES[0], size=24))
        .encode(
            x=epoch_axis(n_epochs),
            y=alt.Y(
                f"{name}:Q",
                title=words,
                scale=scales[name],
                axis=alt.Axis(format=formats[name], tickCount=6),
            ),
            tooltip=[
                alt.Tooltip("epoch:Q"),
                alt.Tooltip("loss:Q", format=".4g"),
                alt.Tooltip("accuracy:Q", format=".2%"),
            ],
        )
        for name, words in (("loss", "mean training loss"), ("accuracy", "accuracy"))
    ]
    return side_by_side(plots, title, caption)


def epoch_axis(n_epochs: int) -> alt.X:
    """Return the horizontal axis of all charts by epoch: whole numbers from 1."""
    import altair as alt

    # Vega's own ticks fall between few epochs.
    each: dict[str, Any] = {"values": list(range(1, n_epochs + 1))} if n_epochs <= _TICKS else {}
    return alt.X(
        "epoch:Q",
        title="epoch",
        scale=alt.Scale(domain=[1, n_epochs] if n_epochs > 1 else [0.5, 1.5]),
        axis=alt.Axis(format="d", **each),
    )


def thinned(n: int, most: int = MOST_EPOCHS) -> np.ndarray:
    """Return the positions that are drawn of ``n`` epochs, the first and the last among them.

    >>> thinned(3).tolist(), len(thinned(5000)), int(thinned(5000)[-1])
    ([0, 1, 2], 1000, 4999)
    """
    return np.unique(np.linspace(0, max(n - 1, 0), min(n, most)).round().astype(np.int64))


def _caption(history: pd.DataFrame, drawn: int) -> str:
    n = len(history)
    if n == 0:
        return "no epoch"
    last = history.iloc[-1]
    words = f"{n:,} epoch{'s' * (n != 1)}"
    if drawn < n:
        words += f", {drawn:,} of them drawn"
    words += f"; the last: loss {last['loss']:.3g}"
    # Where only the label's probability was recorded, nobody knows the accuracy.
    return words + (f", accuracy {last['accuracy']:.1%}" if last["accuracy"] >= 0 else "")
