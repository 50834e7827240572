"""Mean and standard deviation of each column of a table, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

# A table of more values is read in blocks.  The rule looks at the size alone,
# not at where the table lies: the last bits of the result depend on it.
_VALUES = 2**25
_BLOCK = 2**20  # values


def column_moments(features: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Return population standard deviation and mean of each column, (columns,), float64.

    ``features`` (n, columns); ``rows`` (n,) bool: those that count. A large table is read twice,
    first for the means, then for the squared deviations from them.

    >>> spread, mean = column_moments(torch.tensor([[1.0], [3.0], [9.0]]), torch.arange(3) < 2)
    >>> spread.item(), mean.item()
    (1.0, 2.0)
    """
    if features.numel() <= _VALUES:
        spread, mean = torch.std_mean(features[rows].double(), dim=0, correction=0)
        return spread, mean
    count = rows.sum()
    total = torch.zeros(features.shape[1], dtype=torch.float64)
    for block in _blocks(features, rows):
        total += block.sum(0)
    mean = total / count
    squares = torch.zeros_like(total)
    for block in _blocks(features, rows):
        squares += (block - mean).square_().sum(0)
    return (squares / count).sqrt(), mean


def root_mean_square(features: Tensor, rows: Tensor) -> Tensor:
    """Return the root mean square of all values of the rows that count, (), float64."""
    if features.numel() <= _VALUES:
        return features[rows].double().square().mean().sqrt()
    total = torch.zeros((), dtype=torch.float64)
    for block in _blocks(features, rows):
        total += block.square_().sum()
    return (total / (rows.sum() * features.shape[1])).sqrt()


def _blocks(features: Tensor, rows: Tensor) -> Iterator[Tensor]:
    step = max(1, _BLOCK // max(1, features.shape[1]))
    for part, counts in zip(features.split(step), rows.split(step), strict=True):
        yield part[counts].double()
