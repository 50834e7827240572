"""What the columns of a table are: categorical, else as their values tell.

Numeric, two-valued or one-hot; weights of words are none of these.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.errors import DataError, UnknownNameError
from hcat_nb.registry import nearest

_MOST_DECIMALS = 6  # beyond, float32 cannot tell a short decimal from any number
_FEW_DECIMALS = 3  # a count or a price: larger numbers have more digits, not fewer decimals


@dataclass(frozen=True)
class Column:
    """A numeric column and its marginal.

    ``low``, ``high``: smallest and largest value; ``std``: standard deviation (population);
    ``decimals``: decimals that every value is written with; None: no such number up to 6;
    ``digits``: significant digits, up to 6, that every value is written with, where that is no
    column of few decimals.
    """

    index: int
    low: float
    high: float
    std: float
    decimals: int | None
    digits: int | None = None

    def rounded(self, values: np.ndarray) -> np.ndarray:
        """Return values, float64, with the decimals and the digits of the column.

        Otherwise a count of 3.7, a price of five decimals, or a zero with a minus sign would give
        the flag away.

        >>> Column(0, 0.0, 9.0, 2.0, 0).rounded(np.array([3.7])).tolist()
        [4.0]
        >>> Column(0, 0.0, 9.0, 2.0, None, 3).rounded(np.array([3.14159, 0.0271828])).tolist()
        [3.14, 0.0272]
        """
        result = values if self.decimals is None else np.round(values, self.decimals)
        if self.digits is not None:
            result = _significant(result, self.digits)
        return result + 0.0  # -0.0 becomes 0.0


@dataclass(frozen=True)
class Layout:
    """The columns of a table by what they hold; constant ones are in none of the parts.

    ``numeric``: more than two values; ``binary``: columns of two values that are not part of a
    block, and the values; ``blocks``: neighbouring 0/1 columns of which exactly one is 1 in each
    row; ``categorical``: columns of codes, of two levels at least.
    """

    numeric: tuple[Column, ...]
    binary: tuple[tuple[int, float, float], ...]
    blocks: tuple[tuple[int, ...], ...]
    categorical: tuple[int, ...] = ()


def layout(dataset: LabelledDataset) -> Layout:
    """Return what the columns of a table hold, by its readable rows.

    >>> import pandas as pd, torch
    >>> table = torch.tensor([[5.0, 0, 1, 3], [7.5, 1, 0, 3], [9.0, 1, 0, 3]])
    >>> found = layout(LabelledDataset(
    ...     "toy", table, torch.tensor([0, 1, 0]), ("a", "b"), pd.RangeIndex(3)))
    >>> [column.index for column in found.numeric], found.binary, found.blocks
    ([0], (), ((1, 2),))
    """
    table = _readable(dataset)
    low, high = (table.min(axis=0), table.max(axis=0)) if len(table) else (np.zeros(0),) * 2
    varied = np.flatnonzero(low < high)
    plain = [int(i) for i in varied if i not in dataset.levels and i not in dataset.words]
    two_valued = [
        index
        for index in plain
        if ((table[:, index] == low[index]) | (table[:, index] == high[index])).all()
    ]
    flags = np.zeros(table.shape[1], dtype=bool)
    flags[two_valued] = True
    flags &= (low == 0) & (high == 1)
    zeros = (low == 0) & (high == 0)  # a member that no row has
    zeros[[*dataset.levels, *dataset.words]] = False
    found = _blocks(table, flags, flags | zeros)
    members = {index for block in found for index in block}
    return Layout(
        numeric=tuple(_column(table, index) for index in plain if index not in two_valued),
        binary=tuple(
            (index, float(low[index]), float(high[index]))
            for index in two_valued
            if index not in members
        ),
        blocks=tuple(found),
        categorical=tuple(int(index) for index in varied if index in dataset.levels),
    )


def numeric_columns(dataset: LabelledDataset, hardness: str) -> tuple[Column, ...]:
    """Return the numeric columns of a table."""
    found = layout(dataset).numeric
    if not found and dataset.words:
        raise DataError(
            f"{hardness!r} changes numbers, and {dataset.name!r} holds texts as weights of their "
            "words: weights changed at random are those of no text",
            "numeric columns",
            "a kind of hardness that changes labels: uniform, asymmetric, adjacent, instance",
        )
    if not found:
        raise DataError(
            f"{hardness!r} needs a numeric column, and {dataset.name!r} has none",
            "a column with more than two values",
        )
    return found


def column_name(dataset: LabelledDataset, index: int) -> str:
    """Return a column's name, ``"column 3"`` where columns have none."""
    return f"column {index}" if dataset.feature_names is None else dataset.feature_names[index]


def column_index(dataset: LabelledDataset, column: str | int, option: str) -> int:
    """Return the position of a column that a user named, or gave by position."""
    names = dataset.feature_names or ()
    width = dataset.sample_shape[0]
    if isinstance(column, str) and column in names:
        return names.index(column)
    if isinstance(column, int) and not isinstance(column, bool) and 0 <= column < width:
        return column
    known = nearest(str(column), names) if names else f"a position from 0 to {width - 1}"
    raise UnknownNameError(f"{option} names {column!r}, which is no column", known)


def _readable(dataset: LabelledDataset) -> np.ndarray:
    if dataset.unreadable is None:
        return dataset.features.numpy()
    return dataset.take(torch.nonzero(dataset.readable).ravel()).features.numpy()


def _column(table: np.ndarray, index: int) -> Column:
    values = table[:, index].astype(np.float64)
    decimals = _decimals(values)
    few = decimals is not None and decimals <= _FEW_DECIMALS
    return Column(
        index,
        float(values.min()),
        float(values.max()),
        float(values.std()),
        decimals,
        None if few else _digits(values),
    )


def _decimals(values: np.ndarray) -> int | None:
    # Features are float32: 14.23 is stored as 14.229999542...
    slack = np.abs(values) * np.finfo(np.float32).eps
    for decimals in range(_MOST_DECIMALS + 1):
        if (np.abs(values - np.round(values, decimals)) <= slack).all():
            return decimals
    return None


def _digits(values: np.ndarray) -> int | None:
    slack = np.abs(values) * np.finfo(np.float32).eps
    for digits in range(1, _MOST_DECIMALS + 1):
        if (np.abs(values - _significant(values, digits)) <= slack).all():
            return digits
    return None


def _significant(values: np.ndarray, digits: int) -> np.ndarray:
    """Return values, float64, rounded to so many significant digits."""
    size = np.floor(np.log10(np.abs(np.where(values == 0, 1.0, values))))
    unit = 10.0 ** (size - digits + 1)
    result: np.ndarray = np.round(values / unit) * unit
    return result


def _blocks(table: np.ndarray, starts: np.ndarray, fits: np.ndarray) -> list[tuple[int, ...]]:
    """Return runs of columns with exactly one 1 a row; ``fits``: 0/1 columns, all-zero ones too."""
    found: list[tuple[int, ...]] = []
    index = 0
    while index < len(fits):
        end = _block_end(table, index, fits) if starts[index] else None
        if end is not None:
            found.append(tuple(range(index, end)))
        index = end or index + 1
    return found


def _block_end(table: np.ndarray, start: int, fits: np.ndarray) -> int | None:
    total = np.zeros(len(table))
    for index in range(start, len(fits)):
        if not fits[index]:
            return None
        total += table[:, index]
        if (total > 1).any():
            return None
        if (total == 1).all():
            return index + 1
    return None
