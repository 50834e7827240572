"""Where the time of a run went, method by method."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hcat_nb.charts.rows import need
from hcat_nb.charts.theme import CLASSES, overlaid

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.charts.offline import OfflineChart

# What is shared first, from the axis on.
PARTS = (
    *("forward", "dropout", "augmented", "gradient_norm", "input_gradients"),
    *("out_of_fold", "threshold_samples", "own", "score"),
)
COLORS = ("#8C8C8C", *CLASSES[:8])
_COLUMNS = ("hcm", "part", "seconds", "of_training")


def costs_chart(costs: pd.DataFrame, *, width: int = 420) -> OfflineChart:
    """Draw ``run.costs()``: a bar of ``of_training`` for each method, the dearest first."""
    import altair as alt

    need(costs, _COLUMNS, "the costs have", "the frame that run.costs() gives")
    total = costs["of_training"].sum()
    colors = {
        part: color for part, color in zip(PARTS, COLORS, strict=True) if part in set(costs["part"])
    }
    bars = (
        alt.Chart(costs)
        .mark_bar()
        .encode(
            y=alt.Y(
                "hcm:N",
                title=None,
                sort=alt.EncodingSortField("of_training", op="sum", order="descending"),
            ),
            x=alt.X(
                "of_training:Q",
                title="seconds, as a share of the training's",
                axis=alt.Axis(format="%"),
            ),
            color=alt.Color(
                "part:N",
                title="part",
                scale=alt.Scale(domain=list(colors), range=list(colors.values())),
            ),
            order="place:Q",
            tooltip=[
                alt.Tooltip("hcm:N", title="method"),
                alt.Tooltip("part:N", title="part"),
                alt.Tooltip("seconds:Q", title="seconds", format=".3f"),
                alt.Tooltip("of_training:Q", title="of training", format=".1%"),
            ],
        )
        .transform_calculate(place=f"indexof({list(PARTS)}, datum.part)")
        .properties(width=width)
    )
    caption = f"all of them: {total:.0%} of the training's time"
    return overlaid([bars], "cost of each method", caption)
