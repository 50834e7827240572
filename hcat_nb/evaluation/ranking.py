"""How well a score ranks hard samples above the others, over all thresholds.

AUROC is the chance that a hard sample scores higher than another one, ties
counted half (Mann-Whitney U / (P N)).  Average precision is the sum over
distinct scores, from high to low, of precision times the gain in recall
(scikit-learn's definition: no interpolation; samples that tie enter
together).  Where the truth has one class only, both are NaN: not defined,
which is neither 0 nor .5.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from hcat_nb.errors import DataError, SpecError
from hcat_nb.seeds import child_seed

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# With 1,000 resamples the ends of a 95 % interval are off by 4 % of its half
# width (sqrt(.025 * .975 / 1000) / normal_pdf(1.96) = .085 standard errors);
# with 200 by 10 %.
N_RESAMPLES = 1000

# Resamples counted together: enough to fill vector registers, few enough for the caches.
_LEAST, _MOST = 8, 32
_CELLS = 2**22  # resamples x samples held at once: 8 MB, and 8 resamples of more samples


@dataclass(frozen=True)
class Interval:
    """A 95 % interval; NaN where it is not defined."""

    low: float
    high: float


def auroc(scores: ArrayLike, positive: ArrayLike) -> float:
    """Return the area under the ROC curve, ties counted half; NaN if all samples are of one class.

    Scores, higher = harder, must not be NaN.

    >>> auroc([3.0, 1.0, 2.0, 2.0], [True, False, True, False])
    0.875
    >>> auroc([3.0, 1.0], [True, True])
    nan
    """
    return _areas(scores, positive)[0]


def average_precision(scores: ArrayLike, positive: ArrayLike) -> float:
    """Return average precision, the area under the precision-recall curve; NaN of one class.

    >>> round(average_precision([3.0, 1.0, 2.0, 2.0], [True, False, True, False]), 4)
    0.8333
    """
    return _areas(scores, positive)[1]


def _areas(scores: ArrayLike, positive: ArrayLike) -> tuple[float, float]:
    ranked = _Ranked.of(scores, positive)
    if ranked is None:
        return float("nan"), float("nan")
    # The one resample that draws each sample once.
    once = np.ones((ranked.n_hard, 1), np.int16), np.ones((ranked.n_others, 1), np.int16)
    area, precision = ranked.areas(*once)
    return float(area[0]), float(precision[0])


def bootstrap_intervals(
    scores: ArrayLike, positive: ArrayLike, n_resamples: int = N_RESAMPLES, seed: int = 0
) -> list[tuple[Interval, Interval]]:
    """Return 95 % percentile intervals of AUROC and average precision, a pair a column of scores.

    Hard and other samples are resampled apart: how many are hard was fixed
    when they were made, average precision depends on their share, and no
    resample is left with one class.  All columns share the resamples, so the
    intervals of two methods differ by the methods alone.

    A resample is how often each sample was drawn.  Each column is sorted once;
    what its areas ask of a resample is how many others were drawn between one
    hard sample and the next, and many resamples are counted together.
    """
    if not isinstance(n_resamples, (int, np.integer)) or n_resamples < 0:
        raise SpecError(f"n_resamples is {n_resamples!r}", "a whole number, 0 for no intervals")
    columns = np.asarray(scores, dtype=np.float64)
    columns = columns[:, None] if columns.ndim == 1 else columns
    ranked = [_Ranked.of(column, positive) for column in columns.T]
    if n_resamples == 0 or not ranked or ranked[0] is None:
        return [(Interval(np.nan, np.nan), Interval(np.nan, np.nan)) for _ in ranked]
    areas = np.empty((len(ranked), 2, n_resamples))
    start = 0
    for hard, others in _resamples(ranked[0].n_hard, ranked[0].n_others, n_resamples, seed):
        stop = start + hard.shape[1]
        for column, one in enumerate(ranked):
            assert one is not None  # one truth for all columns
            areas[column, :, start:stop] = one.areas(hard, others)
        start = stop
    low, high = np.percentile(areas, [2.5, 97.5], axis=2)
    return [
        (Interval(float(lo[0]), float(hi[0])), Interval(float(lo[1]), float(hi[1])))
        for lo, hi in zip(low, high, strict=True)
    ]


@dataclass(frozen=True, eq=False)
class _Ranked:
    """Scores sorted once, from hard to easy, and cut into G runs: a score that hard samples have.

    Only these matter to either area.  Tables have a row a run: ``hard`` (G, P) has ones for its
    hard samples, ``passed`` (G, N) for the others between this run and the one before, ``tied``
    (G, N) for the others of the run's score; columns in the order of the data.
    """

    hard: csr_array
    passed: csr_array
    tied: csr_array

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
        runs, run_of_hard = np.unique(-values[flags], return_inverse=True)
        others = -values[~flags]
        above = np.searchsorted(runs, others)  # the first run that is not harder
        reached = np.append(runs, np.nan)[above] == others
        near = above < len(runs)  # the others lie below every hard sample
        return cls(
            _membership(run_of_hard, np.ones_like(run_of_hard, dtype=bool), len(runs)),
            _membership(above, near & ~reached, len(runs)),
            _membership(above, reached, len(runs)),
        )

    @property
    def n_hard(self) -> int:
        return int(self.hard.shape[1])

    @property
    def n_others(self) -> int:
        return int(self.passed.shape[1])

    def areas(self, hard: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return AUROC and average precision of resamples.

        ``hard`` (P, b) and ``others`` (N, b), int16: how often each sample was drawn, P and N draws
        a column.
        """
        gained = _counted(self.hard, hard)
        passed = _counted(self.passed, others)
        level = _counted(self.tied, others) if self.tied.nnz else None
        # A cumulative sum with a cast inside costs several times one without.
        found = np.cumsum(gained, axis=1, dtype=gained.dtype).astype(np.float64)
        wrong = np.cumsum(passed if level is None else passed + level, axis=1, dtype=passed.dtype)
        wrong = wrong.astype(np.float64)
        gains = gained.astype(np.float64)
        # Others ranked above a run, and half of those within it, beat its hard samples.
        beaten = np.einsum("bg,bg->b", gains, wrong)
        if level is not None:
            beaten -= np.einsum("bg,bg->b", gains, level.astype(np.float64)) / 2
        wrong += found
        np.maximum(wrong, 1.0, out=wrong)  # nobody drawn yet: nothing gained either
        found /= wrong
        return (
            1.0 - beaten / (self.n_hard * self.n_others),
            np.einsum("bg,bg->b", gains, found) / self.n_hard,
        )


def _membership(groups: np.ndarray, taking_part: np.ndarray, n_groups: int) -> csr_array:
    """Return ones at (group, sample) for the samples that take part, int16."""
    from scipy.sparse import csr_array

    members = np.flatnonzero(taking_part)
    members = members[np.argsort(groups[members], kind="stable")]
    ends = np.cumsum(np.bincount(groups[members], minlength=n_groups))
    parts = np.ones(len(members), np.int16), members.astype(np.int32), np.append(0, ends)
    return csr_array(parts, shape=(n_groups, len(groups)))


def _counted(groups: csr_array, drawn: np.ndarray) -> np.ndarray:
    """Return how many of each group were drawn: (b, G), int32."""
    largest = int(np.diff(groups.indptr).max(initial=0)) * int(drawn.max(initial=0))
    wide = np.int16 if largest <= np.iinfo(np.int16).max else np.int32
    found = groups.astype(wide, copy=False) @ drawn.astype(wide, copy=False)
    return np.ascontiguousarray(found.T).astype(np.int32, copy=False)


def _resamples(
    n_hard: int, n_others: int, n_resamples: int, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield how often each sample was drawn, (P, b) and (N, b), int16, some resamples at a time.

    What is drawn does not depend on how many come at a time.
    """
    streams = np.random.default_rng(child_seed(seed, "bootstrap")).spawn(2)
    block = min(_MOST, max(_LEAST, _CELLS // (n_hard + n_others)))
    for start in range(0, n_resamples, block):
        size = min(block, n_resamples - start)
        hard, others = (
            _drawn(m, size, rng) for m, rng in zip((n_hard, n_others), streams, strict=True)
        )
        yield hard, others


def _drawn(m: int, size: int, rng: np.random.Generator) -> np.ndarray:
    """Return how often each of ``m`` samples was drawn in m draws: (m, size), int16."""
    counts = np.empty((size, m), np.int16)
    for row in counts:
        row[:] = np.bincount(rng.integers(0, m, size=m), minlength=m)
    return np.ascontiguousarray(counts.T)
