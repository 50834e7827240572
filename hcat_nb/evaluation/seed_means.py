"""Means over seeds, of the cells alone that hold as many seeds as the others of their block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["seed_means"]


def seed_means(rows: pd.DataFrame, metric: str, keys: Sequence[str], method: str) -> pd.DataFrame:
    """Return the mean metric of each method in each block.

    A method that has no figure for the hardest seed would be best by a mean
    over the others: who has fewer figures than another method of the block is
    incomplete, and has no mean.

    Parameters
    ----------
    rows : pandas.DataFrame
        A row for each run and method; NaN is no figure.
    metric, method : str
        Columns.
    keys : sequence of str
        Columns that make a block; a key may be missing.

    Returns
    -------
    pandas.DataFrame
        A row a cell: the keys, the method, ``mean`` and ``std`` (NaN where
        incomplete), ``count`` of figures, ``incomplete`` (some figures, but
        fewer than others).

    Examples
    --------
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
