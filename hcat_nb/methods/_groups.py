"""Groups of the data map: their codes, and those by fixed thresholds, as H-CAT draws both maps."""

from __future__ import annotations

import numpy as np

__all__ = ["AMBIGUOUS", "EASY", "GROUPS", "HARD", "HCAT", "UNPLACED", "by_thresholds", "named"]

# A code takes one byte a sample, a name 36.
GROUPS = ("easy", "ambiguous", "hard")  # by code
EASY, AMBIGUOUS, HARD, UNPLACED = 0, 1, 2, -1

# METHODS.md, "groups": H-CAT's confidence above and below which a sample is
# easy or hard, and the uncertainty up to which it is either.
HCAT = {"upper": 0.8, "lower": 0.2, "limit": 0.15}


def by_thresholds(
    confidence: np.ndarray, uncertainty: np.ndarray, *, upper: float, lower: float, limit: float
) -> np.ndarray:
    """Return the group of each sample.

    Parameters
    ----------
    confidence, uncertainty : array of shape (n,)
        NaN where a sample has no place on the map.
    upper, lower : float
        Confidence from which on a sample is easy, and up to which it is hard,
        if its uncertainty is at most ``limit``.
    limit : float

    Returns
    -------
    array of shape (n,), int8
        Codes of ``GROUPS``; -1 where the input is NaN.

    Examples
    --------
    >>> by_thresholds(np.array([0.9, 0.9, 0.1]), np.array([0.1, 0.2, 0.1]), **HCAT).tolist()
    [0, 1, 2]
    """
    placed = ~(np.isnan(confidence) | np.isnan(uncertainty))
    groups = np.where(placed, np.int8(AMBIGUOUS), np.int8(UNPLACED))
    certain = placed & (uncertainty <= limit)
    groups[certain & (confidence >= upper)] = EASY
    groups[certain & (confidence <= lower)] = HARD
    return groups


def named(codes: np.ndarray) -> np.ndarray:
    """Return the names of groups, ``""`` for a code of -1.

    Examples
    --------
    >>> named(np.array([0, -1, 2])).tolist()
    ['easy', '', 'hard']
    """
    names: np.ndarray = np.array([*GROUPS, ""])[codes]
    return names
