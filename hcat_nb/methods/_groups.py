"""Groups of the data map by fixed thresholds, as H-CAT draws them for both of its maps."""

from __future__ import annotations

import numpy as np

__all__ = ["HCAT", "by_thresholds"]

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
    array of shape (n,) of str
        ``"easy"``, ``"ambiguous"``, ``"hard"``; ``""`` where the input is NaN.

    Examples
    --------
    >>> by_thresholds(np.array([0.9, 0.9, 0.1]), np.array([0.1, 0.2, 0.1]), **HCAT).tolist()
    ['easy', 'ambiguous', 'hard']
    """
    placed = ~(np.isnan(confidence) | np.isnan(uncertainty))
    groups = np.where(placed, "ambiguous", "").astype("<U9")
    certain = placed & (uncertainty <= limit)
    groups[certain & (confidence >= upper)] = "easy"
    groups[certain & (confidence <= lower)] = "hard"
    return groups
