"""Which ranking finds wrong labels in these data: candidates in competition.

Every method, judge and mean of ranks, and a combination learned from the
probes, are judged by planted wrong labels against the rows in which nothing
was planted.  The combination is a logistic regression, fitted twice: after the
first fit, rows that look like probes are left out, for they are probably the
user's own faults.  A probe is scored by a fit that did not see it.

Precision at the planted share is not precision on the user's data; and a
single method's figures are those of a network trained with the probes in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hcat_nb.audits.signals import Signals, ranks
from hcat_nb.errors import DataError
from hcat_nb.evaluation.ranking import auroc, average_precision, bootstrap_intervals
from hcat_nb.runs.first_look import DYNAMICS

COMBINATION = "combination"
SINGLES = (*("el2n", "aum", "datamaps", "loss"), *("linear", "knn_label"))
MEANS = {
    "dynamics": (DYNAMICS,),
    "judges": (("linear",), ("knn_label",)),
    "first_look": (DYNAMICS, ("linear",), ("knn_label",)),
}
_STRENGTH = 0.01  # scikit-learn's C: features are many, and say much the same
_SUSPECT = 0.3  # quantile of the probes above which a row is left out of the second fit
_FOLDS = 5
_RESAMPLES = 1000
LOOKS = 0.05  # of the rows: within how many looks a ranking has to find the probes


@dataclass(frozen=True, eq=False)
class Copies:
    """What is known of the copies with probes, stacked: m rows.

    ``scores`` of the candidates but the combination are ranks in a row's own copy, (m,) in [0, 1];
    ``causes`` as in ``Planted``; rows of one of ``groups`` share a fold, in all copies.
    """

    scores: dict[str, np.ndarray]
    features: np.ndarray
    causes: np.ndarray
    groups: np.ndarray


@dataclass(frozen=True, eq=False)
class Judged:
    """How the candidates did, and who ranks.

    ``table`` (index ``ranking``): ``auroc``, ``auprc``, ``recall`` in the first 5 % of rows, each
    with ``_low`` and ``_high`` (95 %).  ``probes`` (k,): of each, the share of unplanted rows that
    the recommended ranking puts above it.  ``scores`` (seeds, n): that ranking on the data as they
    are, by each network, higher = look first.
    """

    table: pd.DataFrame
    recommended: str
    probes: np.ndarray
    scores: np.ndarray


def candidates(signals: Signals, unplanted: np.ndarray) -> dict[str, np.ndarray]:
    """Return the rankings that need no probes: by name, (n,), in [0, 1], higher = look first."""
    own = {name: ranks(score, unplanted) for name, score in signals.scores.items()}
    found = {name: own[name] for name in SINGLES if name in own}
    if signals.out_of_fold:
        each = np.arange(len(signals.labels))
        label = signals.probabilities[each, signals.labels.clip(min=0)].astype(np.float64)
        found["out_of_fold"] = ranks(1 - label, unplanted)
    for name, parts in MEANS.items():
        known = [[own[one] for one in part if one in own] for part in parts]
        if all(known):
            found[name] = np.mean([np.mean(part, axis=0) for part in known], axis=0)
    return found


def judge(copies: Copies, clean: Sequence[Signals], seed: int) -> Judged:
    """Judge the candidates by the planted wrong labels, and rank the data as they are.

    ``clean`` are the signals of these, by one network or several.
    """
    planted, free = copies.causes == 0, copies.causes < 0
    held_out, fitted = cross_fitted(copies, planted, free, seed)
    every = np.ones(len(clean[0].labels), dtype=bool)
    own = [candidates(one, every) for one in clean]
    known = [name for name in copies.scores if all(name in one for one in own)]
    scores = {**{name: copies.scores[name] for name in known}, COMBINATION: held_out}
    table = _figures(scores, planted, planted | free, seed)
    # Not by precision or recall at the top, where the user's own faults stand among the rest.
    chosen = str(table["auroc"].idxmax())
    order = np.sort(scores[chosen][free])
    above = 1 - np.searchsorted(order, scores[chosen][planted], "right") / len(order)
    ranked = [
        fitted(signals.features(every)) if chosen == COMBINATION else one[chosen]
        for signals, one in zip(clean, own, strict=True)
    ]
    return Judged(table, chosen, above, np.stack(ranked))


def cross_fitted(
    copies: Copies, positive: np.ndarray, negative: np.ndarray, seed: int
) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """Return scores of all rows by fits that did not see them, and the fit to all of them.

    Rows that are neither ``positive`` nor ``negative`` take no part in a fit; they are scored.
    """
    fold = folds(copies.groups, seed)
    found = np.zeros(len(fold))
    for one in np.unique(fold):
        out = fold == one
        if not ((positive & ~out).any() and (negative & ~out).any()):
            raise DataError(
                "all wrong labels that were planted are in one fifth of the groups",
                "more rows, or groups of which none is as large as all others together",
            )
        found[out] = _fit(copies.features, positive & ~out, negative & ~out)(copies.features[out])
    return found, _fit(copies.features, positive, negative)


def folds(groups: np.ndarray, seed: int) -> np.ndarray:
    """Return the fold of each row, (m,), int64; a group has one."""
    _, member = np.unique(groups, return_inverse=True)
    fold = np.random.default_rng(seed).permutation(int(member.max()) + 1) % _FOLDS
    dealt: np.ndarray = fold[member]
    return dealt


def _fit(
    features: np.ndarray, positive: np.ndarray, negative: np.ndarray
) -> Callable[[np.ndarray], np.ndarray]:
    """Return the scores of a logistic regression fitted twice; see the head of this file."""

    def fit(against: np.ndarray) -> Any:
        rows = np.concatenate([np.flatnonzero(positive), np.flatnonzero(against)])
        model = regression(_STRENGTH)
        return model.fit(features[rows], positive[rows])

    first = fit(negative).decision_function(features)
    suspects = first > np.quantile(first[positive], _SUSPECT)
    second = fit(negative & ~suspects)
    score: Callable[[np.ndarray], np.ndarray] = second.decision_function
    return score


def regression(strength: float, weights: str | None = None) -> Any:
    """Return an L2 logistic regression on standardised features; ``strength``: scikit-learn's C."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    fitted = LogisticRegression(C=strength, max_iter=500, class_weight=weights)
    return make_pipeline(StandardScaler(), fitted)


def _figures(
    scores: dict[str, np.ndarray], planted: np.ndarray, used: np.ndarray, seed: int
) -> pd.DataFrame:
    """Return AUROC, average precision, and recall within 5 % of the looks, with 95 % intervals.

    Those of the areas are bootstrapped, that of the recall is Wilson's.
    """
    from scipy.stats import binomtest

    positive = planted[used]
    intervals = bootstrap_intervals(
        np.column_stack([score[used] for score in scores.values()]), positive, _RESAMPLES, seed
    )
    looks = max(1, round(LOOKS * len(positive)))
    rows = {}
    for (name, score), (area, precision) in zip(scores.items(), intervals, strict=True):
        some = score[used]
        among = int((some[positive] >= np.partition(some, -looks)[-looks]).sum())
        share = binomtest(among, int(positive.sum())).proportion_ci(0.95, "wilson")
        rows[name] = {
            "auroc": auroc(some, positive),
            "auroc_low": area.low,
            "auroc_high": area.high,
            "auprc": average_precision(some, positive),
            "auprc_low": precision.low,
            "auprc_high": precision.high,
            "recall": among / positive.sum(),
            "recall_low": share.low,
            "recall_high": share.high,
        }
    return pd.DataFrame(rows).T.rename_axis("ranking")
