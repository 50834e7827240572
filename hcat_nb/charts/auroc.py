"""How well each method finds the hard samples, epoch by epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hcat_nb.charts.curves import epoch_axis, thinned
from hcat_nb.charts.rows import csv_table, numbers
from hcat_nb.charts.theme import line_styles, overlaid
from hcat_nb.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.charts.offline import OfflineChart

_NAMED = 5  # methods that the caption names


def auroc_by_epoch(
    auroc: pd.DataFrame,
    *,
    title: str = "AUROC by epoch",
    width: int = 420,
    height: int = 260,
) -> OfflineChart:
    """Draw a line for each method; a click in the legend singles one out.

    ``auroc`` has an index of epochs from 1 and a column for each method, in [0, 1]; NaN is a gap:
    not defined, or too early for the method.
    """
    if not auroc.columns.is_unique:
        twice = auroc.columns[auroc.columns.duplicated()][0]
        raise DataError(f"two columns are called {twice!r}", "one for each method")
    rows = thinned(len(auroc))
    kept = auroc.iloc[rows]
    values = kept.to_numpy(dtype=np.float64)
    when, which = np.nonzero(np.isfinite(values))
    names = [str(name) for name in auroc.columns]
    table = {
        "epoch": kept.index[when].tolist(),
        "hcm": [names[place] for place in which.tolist()],
        "auroc": numbers(values[when, which]),
    }
    silent = [name for place, name in enumerate(names) if place not in set(which.tolist())]
    caption = f"{len(names)} methods, {len(auroc):,} epochs; a guess has .5"
    if silent:
        few = len(silent) <= _NAMED
        caption += f"; n/a for {', '.join(silent) if few else f'{len(silent)} of them'}"
    return auroc_chart(
        [name for name in names if name not in silent],
        int(auroc.index.max()) if len(auroc) else 1,
        csv_table(table, text={"hcm"}),
        title=title,
        caption=caption,
        width=width,
        height=height,
    )


def auroc_chart(
    methods: Sequence[str],
    n_epochs: int,
    rows: Any = None,
    *,
    title: str,
    caption: str,
    width: int = 420,
    height: int = 260,
) -> OfflineChart:
    """Return the specification; its axis ends at ``n_epochs`` from the start.

    ``rows`` are ``epoch, hcm, auroc``; without them, the data is named "auroc".
    """
    import altair as alt

    name = f"hcm_chosen_{len(methods)}"  # a live view has this chart twice
    chosen = alt.selection_point(name=name, fields=["hcm"], bind="legend")
    guess = (
        alt.Chart(alt.InlineData([{"guess": 0.5}]))
        .mark_rule(color="#888888", strokeDash=[2, 2])
        .encode(y="guess:Q")
    )
    base = alt.Chart(alt.NamedData("auroc") if rows is None else rows).encode(
        x=epoch_axis(n_epochs),
        y=alt.Y("auroc:Q", title="AUROC", scale=alt.Scale(domain=[0, 1])),
        opacity=alt.condition(chosen, alt.value(1.0), alt.value(0.12)),
        tooltip=[
            alt.Tooltip("hcm:N", title="method"),
            alt.Tooltip("epoch:Q"),
            alt.Tooltip("auroc:Q", title="AUROC", format=".3f"),
        ],
    )
    styles = line_styles(methods, "hcm", "method")
    lines = base.mark_line().encode(**styles).add_params(chosen)
    # Marks of their own: to points laid over a line that has a selection, JupyterLab's
    # Vega-Lite gives the selection a second time, and then refuses the chart.
    points = base.mark_point(filled=True, size=24).encode(color=styles["color"])
    return overlaid([guess, lines, points], title, caption, width=width, height=height)
