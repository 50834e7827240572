"""Which method for which kind of hardness: a chart to decide by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hcat_nb.charts.rows import csv_table, need, numbers
from hcat_nb.charts.theme import heat_map, overlaid

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.charts.offline import OfflineChart

_NEEDED = ("hardness", "hcm", "value", "mean_rank", "best_group", "n_blocks")


def choice(
    table: pd.DataFrame,
    *,
    metric: str = "AUROC",
    middle: float = 0.5,
    title: str = "which method for which hardness",
    cell: tuple[int, int] = (84, 24),
) -> OfflineChart:
    """Draw a cell for each method and kind of hardness; the best are outlined.

    ``table`` is :func:`hcat_nb.study.findings.choice_table`'s. Colours part at ``middle``, the
    value of a guess; ``cell`` is width and height in pixels.
    """
    import altair as alt

    need(table, _NEEDED, "the table has", "those of choice_table()")
    ranks = table.groupby("hcm", sort=False)["mean_rank"].agg(["count", "mean"])
    # Who is not ranked on every kind stands last: a mean over the easy kinds would flatter it.
    order = ranks.sort_values(["count", "mean"], ascending=[False, True], kind="stable")["mean"]
    methods = [str(name) for name in order.index]
    kinds = [str(kind) for kind in dict.fromkeys(table["hardness"])]
    rows = csv_table(
        {
            "hardness": table["hardness"].astype(str).tolist(),
            "hcm": table["hcm"].astype(str).tolist(),
            "value": numbers(table["value"]),
            "figure": [f"{value:.2f}" if np.isfinite(value) else "n/a" for value in table["value"]],
            "rank": numbers(table["mean_rank"]),
            "best": table["best_group"].fillna(value=False).astype(int).tolist(),
            "blocks": table["n_blocks"].tolist(),
        },
        text={"hardness", "hcm", "figure"},
    )
    base: Any = alt.Chart(rows).encode(
        x=alt.X(
            "hardness:N",
            title=None,
            scale=alt.Scale(domain=kinds),
            axis=alt.Axis(orient="top", labelAngle=-30),
        ),
        y=alt.Y("hcm:N", title=None, scale=alt.Scale(domain=methods)),
        tooltip=[
            alt.Tooltip("hcm:N", title="method"),
            alt.Tooltip("hardness:N"),
            alt.Tooltip("figure:N", title=metric),
            alt.Tooltip("rank:Q", title="mean rank", format=".2f"),
            alt.Tooltip("blocks:Q"),
        ],
    )
    dark = alt.expr("datum.value > 0.85 || datum.value < 0.15 ? 'white' : 'black'")
    scale = alt.Scale(domain=[0, 1], domainMid=middle, scheme="blueorange", reverse=True)
    color = alt.Color("value:Q", title=metric, scale=scale)
    return overlaid(
        heat_map(base, color, "best", dark, outline=2),
        title,
        f"mean {metric} of {len(methods)} methods on {len(kinds)} kinds of hardness; outlined: "
        "not significantly behind the best",
        width=cell[0] * max(1, len(kinds)),
        height=cell[1] * max(1, len(methods)),
    )
