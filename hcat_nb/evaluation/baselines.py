"""Scores that cost nothing, to be shown beside every method's.

A method that does not beat them has found nothing: chance, the rarity of the
observed class, and the loss after the last epoch.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from hcat_nb.errors import DataError
from hcat_nb.seeds import child_seed


def random_scores(n: int, seed: int = 0) -> np.ndarray:
    """Return ``n`` scores drawn uniformly from [0, 1), float32."""
    rng = np.random.default_rng(child_seed(seed, "random baseline"))
    return rng.random(n, dtype=np.float32)


def class_frequency(labels: ArrayLike | pd.Series) -> np.ndarray:
    """Return 1 minus the share of each sample's observed class, float32: rarer = harder.

    NaN where the label is missing (None or NaN).

    >>> class_frequency(["oak", "oak", "elm", "oak"]).tolist()
    [0.25, 0.25, 0.75, 0.25]
    """
    codes, _ = pd.factorize(pd.Series(labels))  # -1 where missing
    known = codes >= 0
    scores = np.full(len(codes), np.nan, dtype=np.float32)
    if known.any():
        scores[known] = 1.0 - np.bincount(codes[known])[codes[known]] / known.sum()
    return scores


def baselines(
    labels: pd.Series, *, last_loss: ArrayLike | None = None, seed: int = 0
) -> pd.DataFrame:
    """Return the baselines as a frame of scores, ready for ``evaluate``; the index is the labels'.

    ``last_loss``: cross-entropy of each sample after the last epoch.
    """
    columns = {
        "random": random_scores(len(labels), seed),
        "class_frequency": class_frequency(labels),
    }
    if last_loss is not None:
        loss = np.asarray(last_loss, dtype=np.float32)
        if loss.shape != (len(labels),):
            raise DataError(f"last_loss has the shape {loss.shape}", f"({len(labels)},)")
        columns["last_loss"] = loss
    return pd.DataFrame(columns, index=labels.index)
