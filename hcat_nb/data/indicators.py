"""Categorical columns as indicators: one 0/1 column a level, made of codes.

A dataset holds codes, so that whatever changes a table changes a *level*;
only what is fitted to it (a network, a quick model) sees indicators.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from hcat_nb.data.dataset import LabelledDataset


@dataclass(frozen=True, eq=False)
class Indicators:
    """Which columns are numbers, and what each indicator stands for.

    ``numbers`` (k,) int64: positions of the columns that are no codes; ``source``, ``code`` (m,)
    int64: column and level of each indicator, by column, then level.
    """

    numbers: Tensor
    source: Tensor
    code: Tensor

    @classmethod
    def of(cls, dataset: LabelledDataset) -> Indicators:
        """Return the indicators of a table.

        >>> import pandas as pd
        >>> table = torch.tensor([[1.0, 7.5], [0.0, 2.5]])
        >>> data = LabelledDataset("t", table, torch.tensor([0, 1]), (0, 1), pd.RangeIndex(2),
        ...                        levels={0: ("red", "blue", "green")})
        >>> made = Indicators.of(data)
        >>> made.numbers.tolist(), made.source.tolist(), made.code.tolist()
        ([1], [0, 0, 0], [0, 1, 2])
        """
        pairs = [
            (column, code)
            for column in sorted(dataset.levels)
            for code in range(len(dataset.levels[column]))
        ]
        numbers = [i for i in range(dataset.sample_shape[0]) if i not in dataset.levels]
        return cls(
            numbers=torch.tensor(numbers, dtype=torch.int64),
            source=torch.tensor([column for column, _ in pairs], dtype=torch.int64),
            code=torch.tensor([code for _, code in pairs], dtype=torch.int64),
        )


def one_hot(x: Tensor, source: Tensor, code: Tensor) -> Tensor:
    """Return indicators of a table's codes.

    The gradient that reaches a code is that of the indicator of the level that the row has: what
    the output owes to it.

    ``x`` (b, columns) float; ``source``, ``code`` (m,). Returns (b, m) of the type of ``x``: all 0
    for a code that is no level.

    >>> one_hot(torch.tensor([[2.0]]), torch.tensor([0, 0, 0]), torch.tensor([0, 1, 2]))
    tensor([[0., 0., 1.]])
    """
    values = x[:, source]
    hits = (values == code).to(x.dtype)
    if not values.requires_grad:
        return hits
    # the factor is 1 exactly, and carries the gradient that a comparison has not
    return hits * (1 + values - values.detach())
