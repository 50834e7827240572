"""Groups of samples: those of the papers' data maps, and ours, whose sizes mean something."""

from __future__ import annotations

import numpy as np

# A code takes one byte a sample, a name 36.
GROUPS = ("easy", "ambiguous", "hard")  # by code
DOUBTS = ("fine", "uncertain", "doubted")  # by code; absolute, unlike a share of the samples
EASY, AMBIGUOUS, HARD, UNPLACED = 0, 1, 2, -1

# H-CAT's (arXiv 2403.04551, released code) confidence above and below which a sample is
# easy or hard, and the uncertainty up to which it is either.
HCAT = {"upper": 0.8, "lower": 0.2, "limit": 0.15}


def by_thresholds(
    confidence: np.ndarray, uncertainty: np.ndarray, *, upper: float, lower: float, limit: float
) -> np.ndarray:
    """Return the group of each sample, (n,), int8: codes of ``GROUPS``, -1 where the input is NaN.

    A sample whose uncertainty is at most ``limit`` is easy from the confidence ``upper`` on, and
    hard up to ``lower``.

    >>> by_thresholds(np.array([0.9, 0.9, 0.1]), np.array([0.1, 0.2, 0.1]), **HCAT).tolist()
    [0, 1, 2]
    """
    placed = ~(np.isnan(confidence) | np.isnan(uncertainty))
    groups = np.where(placed, np.int8(AMBIGUOUS), np.int8(UNPLACED))
    certain = placed & (uncertainty <= limit)
    groups[certain & (confidence >= upper)] = EASY
    groups[certain & (confidence <= lower)] = HARD
    return groups


def by_doubt(
    confidence: np.ndarray,
    variability: np.ndarray,
    best_other: np.ndarray | None = None,
    doubted: np.ndarray | None = None,
) -> np.ndarray:
    """Return how far each sample's label is in doubt: codes of ``DOUBTS``.

    Uncertain is a label whose mean probability is below twice that of the best other class, or
    varies by more than .25; ``doubted`` one in whose place another is proposed. Without
    ``best_other``, while a training goes on, half of what is left stands for it. Where the
    confidence is NaN a sample has no place, code -1.

    >>> by_doubt(np.array([0.9, 0.5, 0.2, np.nan]), np.zeros(4), np.array([0.1, 0.4, 0.7, 0]),
    ...          np.array([False, False, True, False])).tolist()
    [0, 1, 2, -1]
    """
    other = (1 - confidence) / 2 if best_other is None else best_other
    with np.errstate(invalid="ignore"):
        uncertain = (confidence < 2 * other) | (variability > 0.25)
    groups = uncertain.astype(np.int8)
    if doubted is not None:
        groups[doubted] = 2
    groups[np.isnan(confidence)] = UNPLACED
    return groups


def named(codes: np.ndarray) -> np.ndarray:
    """Return the names of groups, ``""`` for a code of -1.

    >>> named(np.array([0, -1, 2])).tolist()
    ['easy', '', 'hard']
    """
    names: np.ndarray = np.array([*GROUPS, ""])[codes]
    return names
