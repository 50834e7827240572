"""How alike a method ranks the samples from one seed to the next.

Spearman's rank correlation of scores of the same samples, over all pairs of
runs that differ by their seeds alone.  Where the data seed is fixed (``fix_seed``)
only weights, order and masks differ; where it varies too, other samples are
made hard, and the correlation is that of the rest of the ranking as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import pandas as pd

from hcat_nb.errors import DataError
from hcat_nb.evaluation.consistency import agree

PAIR_COLUMNS = ("hcm", "first", "second", "n", "n_missing", "spearman", "note")


def seed_pairs(scores: Mapping[Any, pd.DataFrame]) -> pd.DataFrame:
    """Return the rank correlation of each method's scores for each pair of seeds.

    ``n`` shared samples have a score in both runs, ``n_missing`` lack one of them; ``spearman`` is
    NaN where ``note`` says why.

    >>> import pandas as pd
    >>> first, second = (pd.DataFrame({"vog": scores}) for scores in ([1, 2, 3], [2, 3, 1]))
    >>> seed_pairs({0: first, 1: second})[["hcm", "n", "spearman"]].to_numpy().tolist()
    [['vog', 3, -0.5]]
    """
    rows = []
    for (first, a), (second, b) in combinations(scores.items(), 2):
        shared = a.index.intersection(b.index)
        if not len(shared):
            raise DataError(
                f"the runs of the seeds {first} and {second} share no sample",
                "runs on the same dataset",
            )
        left, right = a.loc[shared], b.loc[shared]
        for hcm in [name for name in a.columns if name in b.columns and name != "position"]:
            found = agree(left[hcm], right[hcm], top=1.0, kendall=False)
            figures = (found.n, found.n_missing, found.spearman, found.note)
            rows.append((hcm, first, second, *figures))
    return pd.DataFrame(rows, columns=list(PAIR_COLUMNS))


def stability_table(
    pairs: pd.DataFrame, by: Sequence[str] = (), *, value: str = "spearman", method: str = "hcm"
) -> pd.DataFrame:
    """Return the mean correlation of each method and its spread, most stable first.

    ``pairs`` are those of :func:`seed_pairs`, with the columns ``by`` within which to average.
    Columns: those of ``by``, the method, ``mean``, ``std`` (sample standard deviation over pairs,
    NaN below two), ``least``, ``most``, ``n_pairs`` and ``n_missing`` (pairs without a figure,
    which enter nothing).
    """
    for name in (*by, method, value):
        if name not in pairs:
            raise DataError(f"the pairs have no column {name!r}", "those of seed_pairs()")
    grouped = pairs.groupby([*by, method], sort=False, observed=True)[value]
    table = grouped.agg(["mean", "std", "min", "max", "count", "size"]).reset_index()
    table["n_missing"] = table.pop("size") - table["count"]
    table = table.rename(columns={"min": "least", "max": "most", "count": "n_pairs"})
    return table.sort_values(
        [*by, "mean"], ascending=[True] * len(by) + [False], kind="stable", ignore_index=True
    )
