"""Another label for a sample, offered only where that can be trusted.

A bare "another class is more probable" does harm: of such proposals on
headlines with rule-made labels, a third were right and as many would have
spoilt a right label.  So what is averaged are judges that do not know the
label (out-of-fold probabilities of the network, of a linear model, the labels
of the nearest neighbours), and the margin by which another class must exceed
the given one is calibrated on planted wrong labels.  Planting costs nothing
here: a judge that never saw a row's label says the same whichever it is, so
every wrong label of every row is planted.

Many wrong labels, and classes that overlap, are the same to every judge.  So
nothing is proposed where the judges' most probable classes agree little with
the labels (Cohen's kappa below two thirds).  Where they agree, one label in
twenty is taken to be wrong, or more: a class that overlaps leads by little, a
class in place of a wrong label as other rows' labels do, half of them by more
than the median.

Caveat: where a run trained no folds, its network's mean over the epochs is
averaged with them.  That network was trained on the label, and would have said
something else of a planted one: planted labels look easier to find there than
they are, and the margin does not know it.  ``folds=5`` has no such flaw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

# Rows, and values, of probabilities that are held at a time.
_BLOCK, _VALUES = 1 << 14, 1 << 20
_LEAST_PLANTED = 30
_WRONG = 0.05  # share of wrong labels that is assumed, at least
_LEAST_KAPPA = 2 / 3
_MARGINS = np.arange(0.0, 0.96, 0.01)
# Figures: tests/benchmarks/judges.py, data as they are and with 5 to 40 % wrong, of ten origins.


class Table(Protocol):
    """Probabilities of n rows, some of which can be had: an array is one."""

    def __getitem__(self, rows: slice, /) -> np.ndarray:
        """Return those of some rows, (b, C)."""


@dataclass(frozen=True, eq=False)
class Proposals:
    """The proposed class of each sample.

    ``codes`` (n,), -1 where nothing is proposed; ``probabilities`` (n,), the judges' mean for the
    proposed class, else NaN; ``margin``, as calibrated; ``reason`` why there are none.
    """

    codes: np.ndarray
    probabilities: np.ndarray
    margin: float | None = None
    reason: str = ""
    untrusted: bool = False  # there are doubts, of which none can be trusted


def propose(tables: Sequence[Table], labels: np.ndarray) -> Proposals:
    """Propose labels by the mean of what judges say.

    Each of ``tables`` gives probabilities (n, C), a row of NaN where a judge says nothing;
    ``labels`` (n,) are observed codes, -1 where missing.

    >>> import numpy as np
    >>> labels = np.arange(200) % 2
    >>> judge = np.where(labels[:, None] == [0, 1], 0.9, 0.1)
    >>> judge[3] = judge[3][::-1]  # the label of sample 3 is wrong
    >>> found = propose([judge], labels)
    >>> np.flatnonzero(found.codes >= 0).tolist(), int(found.codes[3])
    ([3], 0)
    """
    n = len(labels)
    if not tables:
        return none_proposed(n, "no judge that did not see the labels")
    best, chance, lead, planted = _leads(tables, labels)
    judged = ~np.isnan(lead)
    doubted = np.nan_to_num(lead, nan=-1.0) > 0
    if (lead < 0).sum() < _LEAST_PLANTED:
        return none_proposed(n, "the judges agree with too few labels to calibrate a margin")
    kappa = _kappa(labels[judged], np.where(doubted, best, labels)[judged])
    if kappa < _LEAST_KAPPA:
        return none_proposed(
            n,
            f"the judges agree too little with the labels (Cohen's kappa {kappa:.2f}, at least "
            f"{_LEAST_KAPPA:.2f}): many wrong labels and classes that overlap would look alike",
            untrusted=True,
        )
    far = float((lead[judged] > -np.median(lead[lead < 0])).mean())
    wrong = max(_WRONG, min(2 * far, float(doubted[judged].mean())))
    margin = _margin(lead[judged], wrong * planted)
    if margin is None:
        return none_proposed(
            n,
            "at every margin too many labels are doubted, beside planted wrong ones, for the "
            "doubts to be trusted",
            untrusted=True,
        )
    offered = judged & (np.nan_to_num(lead, nan=-1.0) > margin)
    return Proposals(
        np.where(offered, best, -1),
        np.where(offered, chance, np.float32(np.nan)),
        margin,
        "" if offered.any() else "no label is doubted",
    )


def none_proposed(n: int, reason: str, *, untrusted: bool = False) -> Proposals:
    """Return no proposal for ``n`` samples, with the reason."""
    none, unknown = np.full(n, -1, dtype=np.int64), np.full(n, np.nan, np.float32)
    return Proposals(none, unknown, None, reason, untrusted)


def _kappa(first: np.ndarray, second: np.ndarray) -> float:
    """Return how far two series of codes agree beyond chance (Cohen 1960); 1 of one class."""
    size = 1 + max(first.max(), second.max())
    shares = [np.bincount(one, minlength=size) / len(one) for one in (first, second)]
    chance = float(shares[0] @ shares[1])
    return 1.0 if chance >= 1 else (float((first == second).mean()) - chance) / (1 - chance)


def _margin(leads: np.ndarray, found: np.ndarray) -> float | None:
    """Return the least lead from which on proposals can be trusted; None if none is.

    ``leads`` are those of the best other class over the label, of rows as they are; ``found``
    (margins,) the share of all rows that are wrong and found by each margin, as is assumed.
    """
    for one, share in zip(_MARGINS, found, strict=True):
        if 0 < share >= (leads > one).mean():
            return float(one)
    return None


def _leads(
    tables: Sequence[Table], labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return, of each row (n,), the best other class, its chance, and its lead over the label.

    The lead is NaN where nobody judges.  Then, of each margin, the share of wrong labels that it
    would find, (margins,), among the rows whose label the judges agree with: each other class of
    each of them is planted.
    """
    n = len(labels)
    best = np.full(n, -1, dtype=np.int64)
    chance, lead = (np.full(n, np.nan, dtype=np.float32) for _ in range(2))
    planted = np.zeros(len(_MARGINS) + 1)  # found by no margin, by the first alone, by two, ...
    step = max(1, min(_BLOCK, _VALUES // max(1, tables[0][:1].shape[1])))
    for start in range(0, n, step):
        block = slice(start, start + step)
        probs, codes = _mean([table[block] for table in tables]), labels[block]
        known = np.flatnonzero((codes >= 0) & ~np.isnan(probs).any(axis=1))
        probs, codes, rows = probs[known], codes[known], start + known
        each = np.arange(len(known))
        own = probs[each, codes]
        probs[each, codes] = 0.0
        best[rows] = probs.argmax(axis=1)
        best[rows[probs.max(axis=1, initial=0.0) == 0]] = -1
        chance[rows] = probs.max(axis=1, initial=0.0)
        lead[rows] = chance[rows] - own
        agreed = np.flatnonzero(lead[rows] < 0)
        other = np.arange(probs.shape[1]) != codes[agreed, None]
        leads = (own[agreed, None] - probs[agreed])[other]
        planted += np.bincount(np.searchsorted(_MARGINS, leads), minlength=len(planted))
    return best, chance, lead, planted[::-1].cumsum()[::-1][1:] / max(1, planted.sum())


def _mean(tables: Sequence[np.ndarray]) -> np.ndarray:
    """Return the mean over the judges that say something of a row, (b, C), float64."""
    total = np.zeros(tables[0].shape)
    count = np.zeros((len(total), 1))
    for table in tables:
        says = ~np.isnan(table).any(axis=1, keepdims=True)
        total += np.where(says, table, 0.0)
        count += says
    with np.errstate(invalid="ignore"):
        return np.where(count > 0, total / count, np.nan)
