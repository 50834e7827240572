"""Another label for a sample, offered only where that can be trusted.

A bare "another class is more probable" does harm: of such proposals on
headlines with rule-made labels, a third were right and as many would have
spoilt a right label.  So what is averaged are judges that do not know the
label (out-of-fold probabilities of the network, of a linear model, the labels
of the nearest neighbours), and the margin by which another class must exceed
the given one is calibrated on planted wrong labels.  Planting costs nothing
here: a judge that never saw a row's label says the same whichever it is.

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
# Unplanted rows beyond the margin, as a share of the planted ones that are: were one label in
# twenty wrong, half of the proposals would be right, if no doubt beside those were.
_MOST = 0.05
# Of proposals, that have to be right if what lies beyond the lead of every other planted label is
# wrong: few right labels are led by so much, and of many wrong ones more than _MOST lie there.
_RIGHT = 0.9
_TOO_MANY = 0.4  # wrong labels are not told from a judge that guesses (of two classes: one half)
_LEAST_FAR = 10  # unplanted rows there, for their share to say something
_MARGINS = np.arange(0.0, 0.96, 0.01)


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


def propose(tables: Sequence[Table], labels: np.ndarray, seed: int) -> Proposals:
    """Propose labels by the mean of what judges say.

    Each of ``tables`` gives probabilities (n, C), a row of NaN where a judge says nothing;
    ``labels`` (n,) are observed codes, -1 where missing; ``seed`` is that of the planted ones.

    >>> import numpy as np
    >>> labels = np.arange(200) % 2
    >>> judge = np.where(labels[:, None] == [0, 1], 0.9, 0.1)
    >>> judge[3] = judge[3][::-1]  # the label of sample 3 is wrong
    >>> found = propose([judge], labels, seed=0)
    >>> np.flatnonzero(found.codes >= 0).tolist(), int(found.codes[3])
    ([3], 0)
    """
    n = len(labels)
    if not tables:
        return none_proposed(n, "no judge that did not see the labels")
    best, chance, lead, planted = _leads(tables, labels, seed)
    judged = ~np.isnan(lead)
    agreeing = lead < 0
    if agreeing.sum() < _LEAST_PLANTED:
        return none_proposed(n, "the judges agree with too few labels to calibrate a margin")
    margin = _margin(lead[judged], planted[agreeing])
    if margin is None:
        return none_proposed(
            n,
            "at every margin too many labels are doubted, beside planted wrong ones, for the "
            "doubts to be trusted",
        )
    offered = judged & (np.nan_to_num(lead, nan=-1.0) > margin)
    return Proposals(
        np.where(offered, best, -1),
        np.where(offered, chance, np.float32(np.nan)),
        margin,
        "" if offered.any() else "no label is doubted",
    )


def none_proposed(n: int, reason: str) -> Proposals:
    """Return no proposal for ``n`` samples, with the reason."""
    return Proposals(np.full(n, -1, dtype=np.int64), np.full(n, np.nan, np.float32), None, reason)


def _margin(leads: np.ndarray, planted: np.ndarray) -> float | None:
    """Return the least lead from which on proposals can be trusted; None if none is.

    ``leads`` are those of the best other class over the label, of rows as they are; ``planted``
    the same of wrong labels that were planted.
    """
    far = float(np.median(planted))
    wrong = (leads > far).mean() / 0.5 if (leads > far).sum() >= _LEAST_FAR else 0.0
    most = max(_MOST, wrong / _RIGHT if wrong < _TOO_MANY else 0.0)
    for one in _MARGINS:
        share = (planted > one).mean()
        if share > 0 and (leads > one).mean() <= most * share:
            return float(one)
    return None


def _leads(
    tables: Sequence[Table], labels: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return, of each row, the best other class, its chance, and two leads, each (n,).

    The first lead is that of the best other class over the label, NaN where
    nobody judges; the second that of the label over a wrong one, which is
    drawn as it is plausible: the lead it would have if that one were given.
    """
    n = len(labels)
    best = np.full(n, -1, dtype=np.int64)
    chance, lead, planted = (np.full(n, np.nan, dtype=np.float32) for _ in range(3))
    draws = np.random.default_rng(seed).random(n)
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
        below = probs.cumsum(axis=1)
        wrong = (below < (draws[rows] * below[:, -1])[:, None]).sum(axis=1)
        wrong = wrong.clip(max=probs.shape[1] - 1)
        planted[rows] = own - probs[each, wrong]
    return best, chance, lead, planted


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
