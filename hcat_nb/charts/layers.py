"""Splits a map into what is drawn as points and what is shown as density.

A browser draws 60,000 marks in about half a second, every epoch; 128 x 128
cells and the hardest 5,000 samples it draws in a few frames, whatever n is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hcat_nb.charts.coloring import Coloring

ALL_POINTS = 10_000  # up to this many samples all are drawn
HARDEST = 5_000  # of more, this many are
CELLS = 128  # a side of the density grid
_SAMPLED = 64  # one of so many values is looked at first


@dataclass(frozen=True)
class MapAxis:
    """A quantity along an edge of the map; what lies outside its range is drawn on the edge."""

    name: str
    title: str
    low: float
    high: float

    def share(self, values: np.ndarray) -> np.ndarray:
        """Return how far along the axis values lie, in [0, 1] within its range."""
        shares: np.ndarray = (values - self.low) / (self.high - self.low)
        return shares


@dataclass(frozen=True, eq=False)
class MapLayers:
    """Points and m cells of one map."""

    rows: np.ndarray  # int64: samples drawn as points, the rarest colour last, on top
    column: np.ndarray  # uint8, (m,): place of each cell that holds a sample, from the origin
    row: np.ndarray
    count: np.ndarray  # uint32
    shade: np.ndarray  # uint8: logarithm of the count, 255 for the fullest cell
    color: np.ndarray  # the cell's commonest code, or its mean where colours are numbers
    n: int
    kept: int  # samples that a filter lets through
    placed: int  # of these, those that have coordinates
    ranking: str  # what the points have that the density has not

    def caption(self) -> str:
        """Return one line that says what is drawn."""
        words = f"{self.n:,} samples"
        if self.kept < self.n:
            words = f"{self.kept:,} of {words} pass the filter"
        if self.kept and not self.placed:
            words += ", none with coordinates yet"
        elif self.placed < self.kept:
            words += f", {self.kept - self.placed:,} of them without coordinates"
        if len(self.rows) < self.placed:
            words += f": density, and the {len(self.rows):,} of {self.ranking} as points"
        return words


def split(
    x: np.ndarray,
    y: np.ndarray,
    coloring: Coloring,
    *,
    x_axis: MapAxis,
    y_axis: MapAxis,
    all_points: int = ALL_POINTS,
    hardest: int = HARDEST,
    hardness: np.ndarray | None = None,
    always: np.ndarray | None = None,
    keep: np.ndarray | None = None,
) -> MapLayers:
    """Decide which of n samples become points; the others are counted in cells.

    Up to ``all_points`` samples all are points; of more, the positions in ``always`` and then
    those of highest ``hardness`` (without it, of lowest ``y``, the confidence). ``keep`` (bool)
    says which samples are shown at all. NaN coordinates have no place.

    >>> coloring = Coloring("group", np.zeros(4, dtype=np.int64), ("easy",), ("#000000",))
    >>> x, y = np.array([0.1, 0.1, 0.1, np.nan]), np.array([0.9, 0.9, 0.2, 0.5])
    >>> axes = {"x_axis": MapAxis("x", "x", 0, 0.5), "y_axis": MapAxis("y", "y", 0, 1)}
    >>> layers = split(x, y, coloring, **axes, all_points=2, hardest=1)
    >>> layers.rows.tolist(), layers.count.tolist(), layers.placed
    ([2], [2], 3)
    """
    shown = np.isfinite(x) & np.isfinite(y)
    if keep is not None:
        shown &= keep
    placed = np.flatnonzero(shown)
    drawn = placed
    if len(placed) > all_points:
        easiness = (y if hardness is None else -hardness)[placed]
        if always is not None and len(always):
            first = np.zeros(len(x), dtype=bool)
            first[always] = True
            easiness = np.where(first[placed], -np.inf, easiness)
        drawn = placed[_lowest(easiness, min(hardest, len(placed) - 1))]
    as_density = shown  # its own array, not needed any more
    as_density[drawn] = False
    rest = np.flatnonzero(as_density)
    cell = _place(y_axis.share(y[rest]))
    cell *= CELLS
    cell += _place(x_axis.share(x[rest]))
    full, count, color = _count(cell, coloring, rest)
    return MapLayers(
        rows=_rarest_last(drawn, coloring),
        column=(full % CELLS).astype(np.uint8),
        row=(full // CELLS).astype(np.uint8),
        count=count.astype(np.uint32),
        shade=_shade(count),
        color=color,
        n=len(x),
        kept=len(x) if keep is None else int(np.count_nonzero(keep)),
        placed=len(placed),
        ranking="lowest confidence" if hardness is None else "highest hardness",
    )


def _lowest(values: np.ndarray, k: int) -> np.ndarray:
    """Return the positions of the ``k`` lowest values, in no order."""
    # To part a million values takes most of a frame's time: of so many, only
    # those that a sample of them says may be among the lowest are parted.
    sample = np.sort(values[::_SAMPLED])
    guess = 2 * (k // _SAMPLED + _SAMPLED)
    if guess < len(sample):
        candidates = np.flatnonzero(values <= sample[guess])
        if len(candidates) > k:
            return candidates[np.argpartition(values[candidates], k)[:k]]
    return np.argpartition(values, k)[:k]


def _place(share: np.ndarray) -> np.ndarray:
    cells = share * CELLS
    return np.clip(cells, 0, CELLS - 1, out=cells).astype(np.int64)


def _count(
    cell: np.ndarray, coloring: Coloring, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    counts = np.bincount(cell, minlength=CELLS * CELLS)
    full = np.flatnonzero(counts)
    values = coloring.data[rows]
    if coloring.levels:
        k = len(coloring.levels)
        table = np.bincount(cell * k + values, minlength=CELLS * CELLS * k)
        color = table.reshape(-1, k)[full].argmax(1)
    else:
        known = np.isfinite(values)
        total = np.bincount(cell[known], values[known], minlength=CELLS * CELLS)[full]
        seen = np.bincount(cell[known], minlength=CELLS * CELLS)[full]
        color = np.where(seen > 0, total / np.maximum(seen, 1), np.nan)
    return full, counts[full], color


def _shade(count: np.ndarray) -> np.ndarray:
    if not len(count):
        return np.empty(0, dtype=np.uint8)
    shade: np.ndarray = np.round(255 * np.log1p(count) / np.log1p(count.max())).astype(np.uint8)
    return shade


def _rarest_last(rows: np.ndarray, coloring: Coloring) -> np.ndarray:
    rows = np.sort(rows)
    if not coloring.levels:
        return rows
    codes = coloring.data[rows]
    frequency = np.bincount(codes, minlength=len(coloring.levels))
    ordered: np.ndarray = rows[np.argsort(-frequency[codes], kind="stable")]
    return ordered
