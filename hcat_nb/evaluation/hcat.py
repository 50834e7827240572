"""The average precision of H-CAT's released evaluator, so that its figures can be compared.

It takes the *untouched* samples as positives, and a method's quantity in the
sign in which it is computed (METHODS.md, "What the paper claims").  So a
quantity that is low for hard samples is judged as it should be, and one that
is high for them upside down: with a share p of hard samples, a *perfect* such
quantity puts all of them first, the i-th untouched sample then stands at rank
p n + i, and for large n

    AP = 1 / (n - p n) * sum over i of i / (p n + i)  ->  1 - p / (1 - p) * ln(1 / p),

.744, .538 and .307 at p = .1, .25 and .5, while a random one gets 1 - p.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hcat_nb.evaluation.ranking import average_precision

__all__ = ["LOW_IS_HARD", "hcat_average_precision", "in_hcats_sign"]

# AUM by its definition and VoG by H-CAT's assumption are low for hard samples
# (METHODS.md, the table and "vog").  That Data-IQ and data maps are scored by
# the confidence is our reading: the two rank alike there, and A3 (methods on
# the dynamics of confidence do well) has the shape that this sign gives.
LOW_IS_HARD = frozenset({"aum", "dataiq", "datamaps", "vog"})


def in_hcats_sign(hcm: object, scores: np.ndarray) -> np.ndarray:
    """Return scores (higher = harder) in the sign in which H-CAT computes that method."""
    return -scores if hcm in LOW_IS_HARD else scores


def hcat_average_precision(hcm: object, scores: ArrayLike, hard: ArrayLike) -> float:
    """Return the average precision that H-CAT's evaluator gives.

    Parameters
    ----------
    hcm : str
        Key of the method, which decides the sign.
    scores : array of shape (n,)
        Higher = harder; no NaN.
    hard : array of shape (n,), bool

    Returns
    -------
    float
        In (0, 1]; NaN where no sample, or every sample, is hard.

    Examples
    --------
    >>> hard = np.arange(10_000) < 1_000
    >>> perfect = np.arange(10_000)[::-1]
    >>> round(hcat_average_precision("loss", perfect, hard), 3)
    0.744
    >>> hcat_average_precision("aum", perfect, hard)
    1.0
    """
    values = np.asarray(scores, dtype=np.float64)
    return average_precision(in_hcats_sign(hcm, values), ~np.asarray(hard, dtype=bool))
