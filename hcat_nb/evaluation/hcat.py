"""The average precision of H-CAT's released evaluator, so that its figures can be compared.

It takes the *untouched* samples as positives, and a method's quantity in the
sign in which it computes it (Seedat et al. 2024, arXiv 2403.04551, released code).  So a
quantity that is low for hard samples is judged as it should be, and one that
is high for them upside down: with a share p of hard samples, a *perfect* such
quantity puts all of them first, the i-th untouched sample then stands at rank
p n + i, and for large n

    AP = 1 / (n - p n) * sum over i of i / (p n + i)  ->  1 - p / (1 - p) * ln(1 / p),

.744, .538 and .307 at p = .1, .25 and .5, while a random one gets 1 - p.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import ArrayLike

from hcat_nb.evaluation.ranking import average_precision

# What H-CAT computes: margin, label quality, agreed confidence, confidence for
# both maps, and cosine are low for hard samples; all others are high, or are
# taken for that.
LOW_IS_HARD = frozenset({"aum", "cleanlab", "conf_agree", "dataiq", "datamaps", "prototypicality"})
# Its AUROC alone takes these two for low when hard, and so do our scores under
# `variant="hcat"`, which are therefore the quantity with its sign changed.
_TURNED = frozenset({"allsh", "vog"})


def low_is_hard(as_hcat: Collection[object]) -> frozenset[object]:
    """Return the methods whose quantity has the opposite sign of our score.

    ``as_hcat``: those that scored under ``variant="hcat"``.

    >>> sorted(low_is_hard(["vog"]) - low_is_hard([]))
    ['vog']
    """
    return LOW_IS_HARD | _TURNED.intersection(as_hcat)


def hcat_average_precision(scores: ArrayLike, hard: ArrayLike, *, low_when_hard: bool) -> float:
    """Return the average precision that H-CAT's evaluator gives; NaN where one class is empty.

    ``low_when_hard``: H-CAT's quantity is the score with its sign changed.

    >>> hard = np.arange(10_000) < 1_000
    >>> perfect = np.arange(10_000)[::-1]
    >>> round(hcat_average_precision(perfect, hard, low_when_hard=False), 3)
    0.744
    >>> hcat_average_precision(perfect, hard, low_when_hard=True)
    1.0
    """
    values = np.asarray(scores, dtype=np.float64)
    quantity = -values if low_when_hard else values
    return average_precision(quantity, ~np.asarray(hard, dtype=bool))
