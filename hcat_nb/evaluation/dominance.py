"""Who beats whom: each pair of methods over the same blocks, with effect size and interval.

The effect is the matched-pairs rank-biserial correlation (Kerby 2014): of the
ranks of absolute differences, the share in favour of the first method minus
the share in favour of the second; blocks without a difference are left out.
"""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from hcat_nb.errors import SpecError

WHO_BEATS_WHOM_COLUMNS = (
    *("first", "second", "n", "wins", "ties", "losses", "difference", "difference_low"),
    *("difference_high", "effect", "effect_low", "effect_high", "p_value"),
)
N_RESAMPLES = 1000


def rank_biserial(differences: ArrayLike) -> float | np.ndarray:
    """Return the matched-pairs rank-biserial correlation of differences, over the last axis.

    In [-1, 1], 1 = the first is above in every block; 0 where no block has a difference.

    >>> rank_biserial([0.3, 0.2, -0.1, 0.0])
    0.6666666666666666
    """
    from scipy.stats import rankdata

    gaps = np.asarray(differences, dtype=np.float64)
    sizes = np.abs(gaps)
    # Zeros rank lowest; without them each rank is smaller by their number.
    zeros = (gaps == 0).sum(-1, keepdims=True)
    ranks = np.where(gaps == 0, 0.0, rankdata(sizes, axis=-1) - zeros)
    total = ranks.sum(-1)
    signed = (np.sign(gaps) * ranks).sum(-1)
    effect = np.divide(signed, total, out=np.zeros_like(total), where=total > 0)
    return float(effect) if effect.ndim == 0 else effect


def who_beats_whom(
    values: pd.DataFrame,
    p_values: pd.DataFrame,
    *,
    higher_is_better: bool = True,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> pd.DataFrame:
    """Return each ordered pair of methods, with bootstrap intervals over blocks.

    ``values`` are ``figures`` (complete blocks x methods) of a :class:`MethodComparison`; blocks
    are drawn ``n_resamples`` times, 0 leaves intervals NaN. Columns: ``first``, ``second``, ``n``
    blocks; ``wins``, ``ties``, ``losses`` of the first; mean ``difference`` (above 0: the first is
    better) and ``effect`` (rank-biserial) with the ends of their 95 % percentile intervals, NaN
    where there is one block; ``p_value``.
    """
    if n_resamples < 0:
        raise SpecError(f"n_resamples is {n_resamples}", "a number from 0")
    table = values.to_numpy(dtype=np.float64) * (1 if higher_is_better else -1)
    n = len(table)
    if n < 2:  # drawn again, one block is always the same: that is no certainty
        n_resamples = 0
    drawn = np.random.default_rng(seed).integers(0, max(n, 1), (n_resamples, n))
    found: dict[tuple[int, int], tuple[np.ndarray, np.ndarray, np.ndarray]] = {}
    for a in range(table.shape[1]):
        for b in range(a):
            gaps = table[:, a] - table[:, b]
            again = gaps[drawn]
            found[a, b] = (gaps, _ends(again.mean(-1)), _ends(rank_biserial(again)))
    names = list(values.columns)
    rows = []
    for a, b in permutations(range(len(names)), 2):
        gaps, moved, effects = found[max(a, b), min(a, b)]
        if a < b:
            gaps, moved, effects = -gaps, -moved[::-1], -effects[::-1]
        rows.append(
            (
                *(names[a], names[b], n),
                *(int((gaps > 0).sum()), int((gaps == 0).sum()), int((gaps < 0).sum())),
                *(float(gaps.mean()), *moved, rank_biserial(gaps), *effects),
                float(p_values[names[b]].to_dict()[names[a]]),
            )
        )
    return pd.DataFrame(rows, columns=list(WHO_BEATS_WHOM_COLUMNS))


def _ends(values: float | np.ndarray) -> np.ndarray:
    drawn = np.atleast_1d(values)
    return np.quantile(drawn, [0.025, 0.975]) if len(drawn) else np.full(2, np.nan)
