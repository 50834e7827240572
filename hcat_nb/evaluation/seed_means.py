"""Means over seeds, of cells that hold as many seeds as the others of their block, and spread."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

_METRICS = ("auroc", "auprc")


def seed_means(rows: pd.DataFrame, metric: str, keys: Sequence[str], method: str) -> pd.DataFrame:
    """Return the mean and std of each method in each block (``keys``, one of which may be NaN).

    A method that has no figure for the hardest seed would be best by a mean
    over the others: who has fewer figures (``count``) than another method of the
    block is ``incomplete``, if it has some, and has no mean.

    >>> import pandas as pd
    >>> rows = pd.DataFrame({"data": ["d"] * 4, "hcm": ["aum", "aum", "vog", "vog"],
    ...                      "auroc": [0.9, 0.5, 0.8, None]})
    >>> seed_means(rows, "auroc", ["data"], "hcm")["mean"].tolist()
    [0.7, nan]
    """
    how = {"sort": False, "dropna": False, "observed": True}
    grouped = rows.groupby([*keys, method], **how)[metric]  # type: ignore[call-overload]
    table: pd.DataFrame = grouped.agg(["mean", "std", "count"]).reset_index()
    most = table.groupby(list(keys), **how)["count"].transform("max")  # type: ignore[call-overload]
    fewer = table["count"] < most
    table.loc[fewer, ["mean", "std"]] = np.nan
    return table.assign(incomplete=fewer & (table["count"] > 0))


def with_seed_spread(
    table: pd.DataFrame,
    seed_scores: Sequence[pd.DataFrame],
    measure: Callable[[pd.DataFrame], pd.DataFrame],
) -> pd.DataFrame:
    """Return ``table``, of the mean scores, with ``auroc_std`` and ``auprc_std`` over trainings.

    Sample standard deviations; NaN where there are fewer than two trainings, one of them has no
    figure, or the row is no method's.  ``measure`` gives the table of one training's scores.
    """
    keys = ["hcm", "hardness"]
    measured = pd.concat([measure(scores) for scores in seed_scores])
    grouped = measured.groupby(keys)[list(_METRICS)]
    # One without a figure for some training would seem steadier than it is.
    spread = grouped.std(ddof=1).where(grouped.count() == len(seed_scores))
    made = table.copy()
    place = made.columns.get_loc("note")
    assert isinstance(place, int)
    rows = pd.MultiIndex.from_frame(made[keys])
    for number, metric in enumerate(_METRICS):
        values = spread[metric].reindex(rows).to_numpy()
        made.insert(place + number, f"{metric}_std", values)
    return made
