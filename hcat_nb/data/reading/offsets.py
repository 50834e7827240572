"""Columns of large numbers close together, which float32 would make equal.

A float32 has 24 bits: Unix times are then known to two minutes, metres of a
map grid to half a metre.  Such a column is kept as the difference to an offset
in float64; all others stay what they are, to the bit.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hcat_nb.errors import some

_EXACT = 2**24  # whole numbers up to here are float32 numbers
_FAR = 16  # half quartile ranges from 0: nearer, float32 is as fine as where it is best
_SAME = 2.0**-44  # of the largest: float64 numbers nearer than this differ by rounding alone
_WIDEST = 2.0**62  # that int64 differences may be
_TINY = 2.0**-102  # below, a float32 has fewer than 24 bits, and from 2^-150 on it is 0
_LOOK, _COUNT = 1 << 12, 1 << 18  # rows, evenly spread: to find columns, to count values
_LISTED = 8


@dataclass(frozen=True)
class Offset:
    """What is taken off a column, and how many of its distinct values are equal after that."""

    value: float
    distinct: int
    lost: int


def find_offset(values: np.ndarray) -> Offset | None:
    """Return what has to be taken off a column; None if it may stay as it is.

    >>> find_offset(1_700_000_000 + np.arange(45))
    Offset(value=1700000022.0, distinct=45, lost=0)
    >>> find_offset(np.arange(45) / 7) is None
    True
    """
    if not _may_lose(values.dtype) or not len(values) or not _suspects(values[:, None])[0]:
        return None
    x = np.unique(values[:: -(-len(values) // _COUNT) or 1])
    if values.dtype.kind == "f":
        x = x[np.isfinite(x)]
        gaps = np.diff(x) > _SAME * np.abs(x).max(initial=0)
        x = x[np.append(True, gaps)] if len(x) else x
    lost = _lost(x, 0.0)
    if not lost:
        return None
    if np.abs(x).max() < _TINY:
        return Offset(0.0, len(x), lost)
    low, middle, high = (float(x[int(share * (len(x) - 1))]) for share in (0.25, 0.5, 0.75))
    whole = bool(values.dtype.kind in "iu" or (x == np.floor(x)).all())
    if not whole and abs(middle) < _FAR * (high - low) / 2:
        return None  # floats that share digits by chance, at the finest that float32 has
    best = min((float(np.round(middle)), middle, 0.0), key=lambda one: _lost(x, one))
    return Offset(best, len(x), _lost(x, best))


def find_offsets(table: np.ndarray) -> dict[int, Offset]:
    """Return the columns of a table, of any size, that need an offset or lose values, by place."""
    if not _may_lose(table.dtype) or not len(table):
        return {}
    found = {i: find_offset(table[:, i]) for i in np.flatnonzero(_suspects(table)).tolist()}
    return {place: one for place, one in found.items() if one is not None}


def _may_lose(dtype: np.dtype[Any]) -> bool:
    return dtype.itemsize >= {"i": 4, "u": 4, "f": 8}.get(dtype.kind, np.inf)


def _suspects(table: np.ndarray) -> np.ndarray:
    """Return by some rows which columns are worth a closer look, (columns,), bool."""
    rows = np.asarray(table[:: -(-len(table) // _LOOK)], dtype=np.float64)
    rows = np.where(np.isfinite(rows), rows, np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a column without a number
        low, middle, high = np.nanquantile(rows, (0.25, 0.5, 0.75), axis=0)
        most = np.nanmax(np.abs(rows), axis=0)
    far = np.abs(middle) >= _FAR / 2 * (high - low) / 2  # of few rows: half of what decides
    suspect: np.ndarray = (far & (middle != 0)) | (most >= _EXACT) | (most < _TINY)
    return suspect


def difference(values: np.ndarray, offset: float) -> np.ndarray:
    """Return values less an offset, float64: of whole numbers exact beyond 2^53."""
    if values.dtype.kind not in "iu":
        return np.asarray(values, dtype=np.float64) - offset
    rough = values.astype(np.float64) - offset
    with np.errstate(over="ignore"):
        exact = values.astype(np.int64) - np.uint64(int(offset) % 2**64).astype(np.int64)
    return np.where(np.abs(rough) < _WIDEST, exact.astype(np.float64), rough)


def offset_notes(found: Mapping[int, Offset], names: Sequence[str] | None) -> Iterator[str]:
    """Yield what was done to which columns, and what is lost in spite of it."""

    def called(place: int) -> str:
        return f"column {place}" if names is None else repr(names[place])

    moved = [
        f"{called(place)} less {one.value:{'.0f' if one.value.is_integer() else '.15g'}}"
        for place, one in found.items()
        if one.value
    ]
    if moved:
        yield (
            "columns kept as the difference to an offset, for float32 would make values equal: "
            + some(moved, _LISTED)
        )
    for place, one in found.items():
        if one.lost:
            yield (
                f"{called(place)}: {one.lost:,} of {one.distinct:,} distinct values are equal to "
                "another one in float32; rescale the column, or split it into coarse and fine"
            )


def _lost(x: np.ndarray, offset: float) -> int:
    with np.errstate(over="ignore"):
        near = (difference(x, offset) if offset else x).astype(np.float32)
    return len(x) - len(np.unique(near))
