"""How well a score ranks hard samples above the others, over all thresholds.

AUROC is the chance that a hard sample scores higher than another one, ties
counted half (Mann-Whitney U / (P N)).  Average precision is the sum over
distinct scores, from high to low, of precision times the gain in recall
(scikit-learn's definition: no interpolation; samples that tie enter
together).  Where the truth has one class only, both are NaN: not defined,
which is neither 0 nor .5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hcat_nb.errors import DataError, SpecError
from hcat_nb.seeds import child_seed

__all__ = ["N_RESAMPLES", "Interval", "auroc", "average_precision", "bootstrap_intervals"]

# With 1,000 resamples the ends of a 95 % interval are off by 4 % of its half
# width (sqrt(.025 * .975 / 1000) / normal_pdf(1.96) = .085 standard errors);
# with 200 by 10 %.
N_RESAMPLES = 1000

_CELLS = 2**18  # resamples x samples held at once: a few MB; 2**20 is slower, out of the caches


@dataclass(frozen=True)
class Interval:
    """A 95 % interval; NaN where it is not defined."""

    low: float
    high: float


def auroc(scores: ArrayLike, positive: ArrayLike) -> float:
    """Return the area under the ROC curve, ties counted half.

    Parameters
    ----------
    scores : array of shape (n,)
        Higher = harder; no NaN.
    positive : array of shape (n,), bool
        The hard samples.

    Returns
    -------
    float
        In [0, 1]; NaN where no sample, or every sample, is hard.

    Raises
    ------
    DataError
        If lengths differ or a score is NaN.

    Examples
    --------
    >>> auroc([3.0, 1.0, 2.0, 2.0], [True, False, True, False])
    0.875
    >>> auroc([3.0, 1.0], [True, True])
    nan
    """
    ranked = _Ranked.of(scores, positive)
    if ranked is None:
        return float("nan")
    return float(ranked.areas(np.ones((1, ranked.n), dtype=np.int32))[0][0])


def average_precision(scores: ArrayLike, positive: ArrayLike) -> float:
    """Return the area under the precision-recall curve, as average precision.

    Parameters and errors are those of :func:`auroc`; the value lies in (0, 1],
    and a random score's is about the share of hard samples.

    Examples
    --------
    >>> round(average_precision([3.0, 1.0, 2.0, 2.0], [True, False, True, False]), 4)
    0.8333
    """
    ranked = _Ranked.of(scores, positive)
    if ranked is None:
        return float("nan")
    return float(ranked.areas(np.ones((1, ranked.n), dtype=np.int32))[1][0])


def bootstrap_intervals(
    scores: ArrayLike,
    positive: ArrayLike,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> list[tuple[Interval, Interval]]:
    """Return 95 % percentile intervals of AUROC and average precision.

    Hard and other samples are resampled apart: how many are hard was fixed
    when they were made, average precision depends on their share, and no
    resample is left with one class.  All columns share the resamples, so the
    intervals of two methods differ by the methods alone.

    Each column is sorted once; a resample is then how often each sample was
    drawn, and costs two cumulative sums: O(n).

    Parameters
    ----------
    scores : array of shape (n,) or (n, m)
        One column a method; no NaN.
    positive : array of shape (n,), bool
    n_resamples : int
        0 gives NaN.
    seed : int

    Returns
    -------
    list of (Interval, Interval)
        AUROC's and average precision's, one pair a column.
    """
    if not isinstance(n_resamples, (int, np.integer)) or n_resamples < 0:
        raise SpecError(f"n_resamples is {n_resamples!r}", "a whole number, 0 for no intervals")
    columns = np.asarray(scores, dtype=np.float64)
    columns = columns[:, None] if columns.ndim == 1 else columns
    ranked = [_Ranked.of(column, positive) for column in columns.T]
    if n_resamples == 0 or not ranked or ranked[0] is None:
        return [(Interval(np.nan, np.nan), Interval(np.nan, np.nan)) for _ in ranked]
    flags = np.asarray(positive, dtype=bool)
    groups = np.flatnonzero(flags), np.flatnonzero(~flags)
    rng = np.random.default_rng(child_seed(seed, "bootstrap"))
    areas = np.empty((len(ranked), 2, n_resamples))
    block = max(1, _CELLS // len(flags))
    for start in range(0, n_resamples, block):
        size = min(block, n_resamples - start)
        counts = _resample(groups, len(flags), size, rng)
        for column, one in enumerate(ranked):
            assert one is not None  # one truth for all columns
            areas[column, :, start : start + size] = one.areas(counts)
    low, high = np.percentile(areas, [2.5, 97.5], axis=2)
    return [
        (Interval(float(lo[0]), float(hi[0])), Interval(float(lo[1]), float(hi[1])))
        for lo, hi in zip(low, high, strict=True)
    ]


@dataclass(frozen=True, eq=False)
class _Ranked:
    """Scores sorted once, from hard to easy, cut where the score changes.

    Only cuts that hold a hard sample matter to either area.

    Parameters
    ----------
    order : ndarray of shape (n,), int64
        Rows from the highest score down.
    positives : ndarray of shape (P,), int64
        Places, in that order, of hard samples.
    first, last : ndarray of shape (G,), int64
        Place of the first and last sample of each run of equal scores that
        holds a hard sample.
    last_positive : ndarray of shape (G,), int64
        Index into ``positives`` of the last hard sample of the run.
    """

    order: np.ndarray
    positives: np.ndarray
    first: np.ndarray
    last: np.ndarray
    last_positive: np.ndarray

    @classmethod
    def of(cls, scores: ArrayLike, positive: ArrayLike) -> _Ranked | None:
        """Sort; None if the truth has one class only."""
        values = np.asarray(scores, dtype=np.float64)
        flags = np.asarray(positive, dtype=bool)
        if values.ndim != 1 or values.shape != flags.shape:
            raise DataError(
                f"scores have the shape {values.shape}, truth {flags.shape}", "one entry a sample"
            )
        if np.isnan(values).any():
            raise DataError(
                f"{int(np.isnan(values).sum())} scores are NaN", remedy="leave those samples out"
            )
        if flags.all() or not flags.any():
            return None
        order = np.argsort(-values, kind="stable")
        values, flags = values[order], flags[order]
        changes = np.flatnonzero(values[1:] != values[:-1])
        first = np.concatenate([[0], changes + 1])
        last = np.concatenate([changes, [len(values) - 1]])
        seen = np.cumsum(flags)
        holds = np.diff(seen[last], prepend=0) > 0
        return cls(order, np.flatnonzero(flags), first[holds], last[holds], seen[last[holds]] - 1)

    @property
    def n(self) -> int:
        return len(self.order)

    def areas(self, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return AUROC and average precision of resamples.

        Parameters
        ----------
        counts : ndarray of shape (b, n), int32
            How often each sample was drawn, at least one of each class a row.

        Returns
        -------
        auroc, average_precision : ndarray of shape (b,), float64
        """
        drawn = np.take(counts, self.order, axis=1)
        found = _running(np.take(drawn, self.positives, axis=1), self.last_positive + 1)
        reached = _running(drawn, self.last + 1)
        beaten = reached + _running(drawn, self.first)
        gained = np.diff(found, axis=1, prepend=0.0)
        n_positive = found[:, -1]
        n_negative = counts.sum(axis=1) - n_positive
        # Others ranked above a run, and half of those within it, beat its hard samples.
        beaten -= 2 * found
        beaten += gained
        beaten *= gained
        precision = found / np.maximum(reached, 1.0, out=reached)
        precision *= gained
        return (
            1.0 - beaten.sum(axis=1) / (2 * n_positive * n_negative),
            precision.sum(axis=1) / n_positive,
        )


def _running(counts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Return the sum of the first ``ends[g]`` columns: (b, G), float64."""
    sums = np.zeros((len(counts), counts.shape[1] + 1), dtype=np.int32)
    # int32 in, int32 out: a cast inside the cumulative sum costs ten times the sum.
    np.cumsum(counts, axis=1, out=sums[:, 1:])
    return np.take(sums, ends, axis=1).astype(np.float64)


def _resample(
    groups: tuple[np.ndarray, np.ndarray], n: int, size: int, rng: np.random.Generator
) -> np.ndarray:
    """Return how often each sample was drawn: (size, n), int32."""
    counts = np.zeros((size, n), dtype=np.int32)
    offsets = np.arange(size)[:, None]
    for rows in groups:
        m = len(rows)
        draws = rng.integers(0, m, size=(size, m), dtype=np.int64) + offsets * m
        counts[:, rows] = np.bincount(draws.ravel(), minlength=size * m).reshape(size, m)
    return counts
