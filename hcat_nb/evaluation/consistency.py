"""How far two rankings of the same samples agree: two methods, or two runs.

Spearman's rho is Pearson's correlation of ranks, ties at their mean rank
(Spearman 1904); Kendall's tau-b counts concordant minus discordant pairs and
divides by the geometric mean of the pairs untied in each (Kendall 1945).
Both are blind to where in the ranking two scores agree; the overlap of the
hardest samples looks at the end that a person will look at.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from hcat_nb.errors import DataError, SpecError
from hcat_nb.evaluation.threshold import share_to_k

AGREEMENT_COLUMNS = (
    *("n", "n_missing", "spearman", "kendall", "top_k", "top_overlap", "top_chance", "note"),
)
_NAN = float("nan")


@dataclass(frozen=True)
class Agreement:
    """How far two rankings agree.

    ``n`` samples have both scores.  Correlations lie in [-1, 1] (NaN: ``note`` says why, or not
    asked for).  ``top_overlap`` is the share of the ``top_k`` hardest by one that are so by the
    other, expected where samples tie at a cut; chance would give ``top_chance = top_k / n``.
    """

    n: int
    n_missing: int
    spearman: float
    kendall: float
    top_k: int
    top_overlap: float
    top_chance: float
    note: str


def agree(
    first: ArrayLike, second: ArrayLike, *, top: float = 0.1, kendall: bool = True
) -> Agreement:
    """Return how far two scores, (n,), NaN where there is none, rank the same samples alike.

    ``top`` is the share of samples, in (0, 1], whose overlap is measured.  Kendall's tau-b takes
    O(n log n), ten times the rest.

    >>> found = agree([1.0, 2.0, 3.0, 4.0], [1.0, 3.0, 2.0, 4.0], top=0.5)
    >>> round(found.spearman, 3), round(found.kendall, 3), found.top_overlap, found.top_chance
    (0.8, 0.667, 0.5, 0.5)
    """
    a, b = (np.asarray(one, dtype=np.float64) for one in (first, second))
    if a.ndim != 1 or a.shape != b.shape:
        raise DataError(f"scores have the shapes {a.shape} and {b.shape}", "one entry a sample")
    if not 0 < top <= 1:
        raise SpecError(f"top is {top!r}", "a share in (0, 1]", "0.1 is a tenth")
    both = ~(np.isnan(a) | np.isnan(b))
    n, n_missing = int(both.sum()), int((~both).sum())
    a, b = a[both], b[both]
    k = share_to_k(top, n)
    constant = n > 0 and bool(a.min() == a.max() or b.min() == b.max())
    defined = n > 1 and not constant
    tau = _NAN
    if defined and kendall:
        from scipy.stats import kendalltau

        tau = float(kendalltau(a, b, variant="b").statistic)
    overlap = float((_top_weights(a, k) * _top_weights(b, k)).sum() / k) if k else _NAN
    return Agreement(
        n=n,
        n_missing=n_missing,
        spearman=float(np.corrcoef(ranks(a), ranks(b))[0, 1]) if defined else _NAN,
        kendall=tau,
        top_k=k,
        top_overlap=overlap,
        top_chance=k / n if k else _NAN,
        note=_why_undefined(n, constant, top, k),
    )


def agreement_table(
    scores: pd.DataFrame, *, top: float = 0.1, kendall: bool = False
) -> pd.DataFrame:
    """Return :func:`agree` of each pair of methods, ``first`` and ``second``, in their order.

    A column ``position`` is ignored.

    >>> import pandas as pd
    >>> scores = pd.DataFrame({"loss": [1.0, 2.0, 3.0], "vog": [3.0, 2.0, 1.0]})
    >>> agreement_table(scores)[["first", "second", "spearman"]].to_numpy().tolist()
    [['loss', 'vog', -1.0]]
    """
    table = scores.drop(columns="position", errors="ignore")
    if not table.columns.is_unique:
        twice = table.columns[table.columns.duplicated()][0]
        raise DataError(f"two columns of scores are called {twice!r}", "one a method")
    rows = [
        {"first": a, "second": b, **vars(agree(table[a], table[b], top=top, kendall=kendall))}
        for a, b in combinations(table.columns, 2)
    ]
    return pd.DataFrame(rows, columns=["first", "second", *AGREEMENT_COLUMNS])


def ranks(scores: ArrayLike) -> np.ndarray:
    """Return ranks from 1, the hardest; ties at their mean, NaN where there is no score.

    >>> ranks([0.5, float("nan"), 2.0, 0.5]).tolist()
    [2.5, nan, 1.0, 2.5]
    """
    return pd.Series(np.asarray(scores, dtype=np.float64)).rank(ascending=False).to_numpy()


def moved_table(first: pd.Series[Any], second: pd.Series[Any]) -> pd.DataFrame:
    """Return the samples by how far they moved from one ranking to the other, those most first.

    Ranks (1 = hardest) are among the samples with both scores; the others come last, with NaN.
    ``moved`` counts places towards the easy end.

    >>> import pandas as pd
    >>> a = pd.Series([3.0, 2.0, 1.0], index=["x", "y", "z"])
    >>> moved_table(a, pd.Series([1.0, 2.0, 3.0], index=["x", "y", "z"]))["moved"].to_dict()
    {'x': 2.0, 'z': -2.0, 'y': 0.0}
    """
    if not first.index.equals(second.index):
        raise DataError("the scores have different sample ids", "the same index")
    a, b = first.to_numpy(dtype=np.float64), second.to_numpy(dtype=np.float64)
    gone = np.isnan(a) | np.isnan(b)
    rank_a, rank_b = ranks(np.where(gone, np.nan, a)), ranks(np.where(gone, np.nan, b))
    frame = pd.DataFrame(
        {
            "score_first": a,
            "score_second": b,
            "rank_first": rank_a,
            "rank_second": rank_b,
            "moved": rank_b - rank_a,
        },
        index=first.index.rename("sample_id"),
    )
    return frame.iloc[np.argsort(-np.abs(frame["moved"].to_numpy()), kind="stable")]


def _why_undefined(n: int, constant: bool, top: float, k: int) -> str:
    if n == 0:
        return "no sample has both scores"
    if n == 1:
        return "one sample only"
    if constant:
        return "all scores of one are equal"
    return "" if k else f"{top:.3g} of {n} samples is none"


def _top_weights(scores: np.ndarray, k: int) -> np.ndarray:
    """Return the chance of each sample to be among the ``k`` hardest, ties drawn at random."""
    cut = np.partition(scores, len(scores) - k)[len(scores) - k]
    tied = scores == cut
    above = scores > cut
    weights: np.ndarray = above + tied * ((k - above.sum()) / tied.sum())
    return weights
