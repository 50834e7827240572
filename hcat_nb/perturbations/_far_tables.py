"""Rows of a table that lie far from all others (METHODS.md, "Hardness types", far_ood)."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import torch
from torch import Tensor

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.perturbations._tables import Column, layout

__all__ = ["beyond", "flip_bits", "flippable", "other_level"]

_LEAST, _MOST = 0.25, 1.0  # how far beyond a range, in ranges
_FLIPS = 2


def beyond(
    dataset: LabelledDataset, chosen: Tensor, categorical: Collection[int], rng: np.random.Generator
) -> Tensor:
    """Return the features with every value of the chosen rows out of the ordinary.

    Parameters
    ----------
    dataset : LabelledDataset
        A table; left as it is.
    chosen : Tensor of shape (k,), int64
    categorical : collection of int
        Columns of codes beside those that the dataset knows as categorical;
        they take another code.
    rng : numpy.random.Generator

    Returns
    -------
    Tensor of shape (n, columns), float32
        Numeric columns lie outside the range of all readable rows.
    """
    found = layout(dataset)
    before = dataset.features
    features = dataset.copied_features()
    readable = dataset.readable
    for column in found.numeric:
        if column.index not in categorical:
            outside = _outside(column, len(chosen), rng)
            features[chosen, column.index] = torch.from_numpy(outside).float()
    codes_of = [column.index for column in found.numeric if column.index in categorical]
    for index in (*codes_of, *found.categorical):
        levels = torch.unique(before[readable, index])
        features[chosen, index] = other_level(before[chosen, index], levels, rng)
    for index, low, high in found.binary:
        features[chosen, index] = low + high - before[chosen, index]
    for block in found.blocks:
        members = [index for index in block if bool(before[readable, index].any())]
        codes = torch.arange(len(members))
        now = before[chosen][:, members].argmax(dim=1)
        other = other_level(now, codes, rng)
        features[chosen[:, None], torch.tensor(members)] = (codes == other[:, None]).float()
    return features


def other_level(now: Tensor, levels: Tensor, rng: np.random.Generator) -> Tensor:
    """Return for each value another one of ``levels``, each as likely.

    Parameters
    ----------
    now : Tensor of shape (k,)
        Values, all of them among the levels.
    levels : Tensor of shape (m,)
        Distinct, ascending.

    Examples
    --------
    >>> other_level(torch.tensor([0, 1]), torch.tensor([0, 1]), np.random.default_rng(0)).tolist()
    [1, 0]
    """
    place = torch.searchsorted(levels, now)
    step = torch.from_numpy(rng.integers(1, len(levels), size=len(now)))
    return levels[(place + step) % len(levels)]


def flippable(features: Tensor) -> Tensor:
    """Return which rows hold two zeros and two ones at least: (n,) bool.

    Categories and words are no bits; hand over the other columns.
    """
    return ((features == 0).sum(dim=1) >= _FLIPS) & ((features == 1).sum(dim=1) >= _FLIPS)


def flip_bits(rows: Tensor, rng: np.random.Generator) -> Tensor:
    """Return rows (k, bits) in which two zeros and two ones of each are flipped (H-CAT)."""
    result = rows.clone()
    for value in (0.0, 1.0):
        # The largest of random numbers among the entries of that value: drawn without replacement.
        lots = torch.from_numpy(rng.random(rows.shape))
        lots[rows != value] = -1.0
        places = lots.topk(_FLIPS, dim=1).indices
        result.scatter_(1, places, 1.0 - value)
    return result


def _outside(column: Column, k: int, rng: np.random.Generator) -> np.ndarray:
    reach = rng.uniform(_LEAST, _MOST, size=k) * (column.high - column.low)
    if column.decimals is not None:
        # Away from the column: rounding then neither leaves U(.25, 1) nor reaches the range.
        unit = 10.0**-column.decimals
        reach = np.ceil(reach / unit) * unit
    above = rng.random(k) < 0.5
    return column.rounded(np.where(above, column.high + reach, column.low - reach))
