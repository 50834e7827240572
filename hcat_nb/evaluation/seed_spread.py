"""How much a metric moves from one training to the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SPREAD_COLUMNS", "with_seed_spread"]

_METRICS = ("auroc", "auprc")
SPREAD_COLUMNS = tuple(f"{metric}_std" for metric in _METRICS)


def with_seed_spread(
    table: pd.DataFrame,
    seed_scores: Sequence[pd.DataFrame],
    measure: Callable[[pd.DataFrame], pd.DataFrame],
) -> pd.DataFrame:
    """Return ``table`` with the spread of its metrics over several trainings.

    Parameters
    ----------
    table : DataFrame
        Of the mean scores, as :func:`hcat_nb.evaluate` gives it.
    seed_scores : sequence of DataFrame
        Each training's scores, a column a method.
    measure : callable
        Gives the table of one training's scores.

    Returns
    -------
    pandas.DataFrame
        With ``auroc_std`` and ``auprc_std`` before ``note``: the sample
        standard deviation over trainings, NaN where there are fewer than two,
        one of them has no figure, or the row is no method's.
    """
    import pandas as pd

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
