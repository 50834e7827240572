"""Precision, recall and F1 of the highest-scored samples, and of samples a method flagged.

A cut may fall within samples of equal score.  Which of them come first then
depends on row order alone, so they are counted in expectation: as if those
that still fit were drawn from them at random.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hcat_nb.errors import DataError, SpecError


@dataclass(frozen=True)
class AtCut:
    """What the samples above a cut are worth; precision, recall and F1 NaN where not defined.

    ``n`` is how many there are; ``tied`` samples have the score at the cut, 1 where it is
    unique, 0 if there is no cut.
    """

    precision: float
    recall: float
    f1: float
    n: int
    tied: int = 0


def at_k(scores: ArrayLike, positive: ArrayLike, k: int) -> AtCut:
    """Return precision, recall and F1 of the ``k`` highest scores, of (n,) without NaN.

    >>> at_k([5.0, 2.0, 2.0, 1.0], [True, True, False, False], k=2)
    AtCut(precision=0.75, recall=0.75, f1=0.75, n=2, tied=2)
    """
    values = np.asarray(scores, dtype=np.float64)
    flags = np.asarray(positive, dtype=bool)
    if values.shape != flags.shape:
        raise DataError(f"{len(values)} scores for {len(flags)} truths", "one each")
    if not 0 <= k <= len(values):
        raise SpecError(f"k is {k}", f"a number of samples, 0 to {len(values)}")
    if k == 0:
        return _worth(0.0, 0, int(flags.sum()))
    cut = np.partition(values, len(values) - k)[len(values) - k]
    above, tied = values > cut, values == cut
    share = (k - int(above.sum())) / int(tied.sum())  # of the tied that still fit
    hits = float(flags[above].sum() + share * flags[tied].sum())
    return _worth(hits, k, int(flags.sum()), int(tied.sum()))


def of_flagged(flagged: ArrayLike, positive: ArrayLike) -> AtCut:
    """Return precision, recall and F1 of the samples beyond a method's own threshold.

    >>> of_flagged([True, True, True, False], [True, False, True, True]).precision
    0.6666666666666666
    """
    chosen, flags = np.asarray(flagged, dtype=bool), np.asarray(positive, dtype=bool)
    if chosen.shape != flags.shape:
        raise DataError(f"{len(chosen)} flags for {len(flags)} truths", "one each")
    return _worth(float((chosen & flags).sum()), int(chosen.sum()), int(flags.sum()))


def share_to_k(share: float, n: int) -> int:
    """Return how many samples a share of ``n`` is, rounded half up.

    >>> share_to_k(0.01, 1797), share_to_k(0.01, 40)
    (18, 0)
    """
    return math.floor(share * n + 0.5)


def _worth(hits: float, chosen: int, hard: int, tied: int = 0) -> AtCut:
    nan = float("nan")
    return AtCut(
        precision=hits / chosen if chosen else nan,
        recall=hits / hard if hard else nan,
        f1=2 * hits / (chosen + hard) if chosen and hard else nan,
        n=chosen,
        tied=tied,
    )
