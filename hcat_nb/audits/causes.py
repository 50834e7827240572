"""Why a sample is hard, if it is: learned from planted faults, named only where there is evidence.

Two questions, two models, both logistic regressions on the signals of a
sample.  *Of what kind, if it is faulty*: fitted to planted rows alone, causes
weighted equally; the largest share is called evidence, not probability, for
there is no class "nothing is wrong" and the shares of the user's faults are
not known.  *How much does it look like that fault, and not like the others or
like none*: fitted to all rows of the copies, unplanted rows that look planted
left out of a second fit; a row that is doubted by it no more than the easiest
of the planted ones gets no verdict at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hcat_nb.audits.probes import CAUSES
from hcat_nb.audits.ranking import Copies, folds, regression

NAMED = 0.7  # evidence above which a cause is named
UNCLEAR, FINE = "unclear", ""
_STRENGTH, _RANKING = 0.2, 0.03  # scikit-learn's C, of the two models
_EASIEST = 0.3  # quantile of the planted rows below which a row is not doubted


@dataclass(frozen=True, eq=False)
class Causes:
    """Evidence and rankings by cause, of the data as they are.

    ``evidence`` (n, causes) are shares that add up to 1; ``scores`` (n, causes) in [0, 1], higher =
    look first for that cause; ``doubted`` (n,): looks at least as faulty as seven of ten planted.
    ``table`` (index ``cause``): ``probes``; ``auroc`` and ``auprc`` of its ranking of all rows of
    the copies; ``named``, the share of its probes that are named; ``right``, the share of these
    that are named right.  By fits that did not see the row.
    """

    evidence: np.ndarray
    scores: np.ndarray
    doubted: np.ndarray
    table: pd.DataFrame
    offered: Sequence[str]

    def verdicts(self) -> np.ndarray:
        """Return the named cause of each row, "unclear", or "" where nothing is doubted."""
        names = _named(self.evidence, self.offered)
        names[~self.doubted] = FINE
        return names


def causes(
    copies: Copies, views: Sequence[np.ndarray], offered: Sequence[str], seed: int
) -> Causes:
    """Learn causes from planted rows, and apply them to the data as they are.

    ``views`` are the features of these, (n, d), by each network; shares are averaged.
    """
    from sklearn.metrics import average_precision_score, roc_auc_score

    fold = folds(copies.groups, seed)
    shares, ranked = (np.zeros((len(fold), len(offered))) for _ in range(2))
    for one in np.unique(fold):
        out = fold == one
        shares[out] = _evidence(copies, ~out, offered)(copies.features[out])
        ranked[out] = _ranking(copies, ~out, offered)(copies.features[out])
    rows = {}
    for at, cause in enumerate(offered):
        own = copies.causes == CAUSES.index(cause)
        named = _named(shares[own], offered)
        right = named[named != UNCLEAR] == cause
        rows[cause] = {
            "probes": int(own.sum()),
            "auroc": roc_auc_score(own, ranked[:, at]),
            "auprc": average_precision_score(own, ranked[:, at]),
            "named": (named != UNCLEAR).mean(),
            "right": right.mean() if len(right) else np.nan,
        }
    every = np.ones(len(fold), dtype=bool)
    fitted, ranking = _evidence(copies, every, offered), _ranking(copies, every, offered)
    scores = np.mean([ranking(view) for view in views], axis=0)
    least = np.quantile(ranked.sum(axis=1)[copies.causes >= 0], _EASIEST)
    return Causes(
        np.mean([fitted(view) for view in views], axis=0),
        scores,
        scores.sum(axis=1) >= least,
        pd.DataFrame(rows).T.rename_axis("cause").astype({"probes": int}),
        offered,
    )


def _named(evidence: np.ndarray, offered: Sequence[str]) -> np.ndarray:
    names: np.ndarray = np.array(list(offered), dtype=object)[evidence.argmax(axis=1)]
    names[evidence.max(axis=1) <= NAMED] = UNCLEAR
    return names


def _evidence(
    copies: Copies, rows: np.ndarray, offered: Sequence[str]
) -> Callable[[np.ndarray], np.ndarray]:
    """Return what maps features to shares of the causes, fitted to some planted rows."""
    if len(offered) == 1:
        return lambda features: np.ones((len(features), 1))
    used = rows & (copies.causes >= 0)
    model = regression(_STRENGTH, "balanced").fit(copies.features[used], copies.causes[used])
    shares: Callable[[np.ndarray], np.ndarray] = model.predict_proba
    return shares


def _ranking(
    copies: Copies, rows: np.ndarray, offered: Sequence[str]
) -> Callable[[np.ndarray], np.ndarray]:
    """Return what maps features to how much a row looks like each cause, fitted twice."""
    features, codes = copies.features[rows], copies.causes[rows]
    first = regression(_RANKING).fit(features, codes)
    faulty = 1 - first.predict_proba(features)[:, 0]
    suspect = (codes < 0) & (faulty > np.quantile(faulty[codes >= 0], _EASIEST))
    second = regression(_RANKING).fit(features[~suspect], codes[~suspect])
    return lambda some: second.predict_proba(some)[:, 1:]
