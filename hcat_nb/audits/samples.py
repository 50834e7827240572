"""The table of an audit: a row a sample, what to look at first on top."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from hcat_nb.audits.causes import FINE, UNCLEAR, Causes
from hcat_nb.audits.ranking import Judged
from hcat_nb.audits.signals import Signals
from hcat_nb.data.duplicates import duplicates
from hcat_nb.runs.review.hardest import withheld

if TYPE_CHECKING:
    from hcat_nb.runs.store.record import Record

WORDS = {
    "mislabel": "label is probably wrong",
    "off": "does not belong to this data set",
    "atypical": "right but rare",
    "ambiguous": "between two classes",
    "conflict": "nearly the same input has another label elsewhere",
    UNCLEAR: UNCLEAR,
    FINE: FINE,
}
_SAME = "the same input has another label elsewhere"
_WORST = 0.05  # of the samples, whose count over seeds is told


def samples_table(
    run: Record, views: Sequence[Signals], judged: Judged, why: Causes
) -> pd.DataFrame:
    """Return the samples, those to look at first on top; see ``Audit.samples``.

    ``views`` are of each network on the data as they are.
    """
    assert run.dataset is not None
    details, labels = run.details, run.details["label"]
    score = judged.scores.mean(axis=0)
    known = run.dataset.trainable.numpy()
    rank = _descending(np.where(known, score, np.nan))  # without a label none can be wrong
    causes = why.verdicts()
    if withheld(run):  # a network that learned nothing names no cause
        causes[causes != FINE] = UNCLEAR
    evidence = why.evidence.max(axis=1)
    twins = duplicates(run.dataset)
    places = run.dataset.sample_ids.get_indexer_for(twins.index[twins["conflict"]])
    causes[places], evidence[places] = "conflict", 1.0
    suggested = details["suggested"]
    alone = suggested.isna().to_numpy() | (causes != "mislabel")
    words = np.array([WORDS[one] for one in causes], dtype=object)
    words[~alone] = [f"{WORDS['mislabel']} (looks like {other})" for other in suggested[~alone]]
    words[places] = _SAME
    least = np.quantile(judged.scores[:, known], 1 - _WORST, axis=1, keepdims=True)
    worst = judged.scores >= least
    table = pd.DataFrame(
        {
            "rank": rank,
            "label": labels.array,
            "suggested": suggested.array,
            "suggested_probability": details["suggested_probability"].to_numpy(),
            "verdict": words,
            "cause": causes,
            "evidence": np.where(causes == FINE, np.nan, evidence).astype(np.float32),
            "worst_in": worst.sum(axis=0).astype(np.int64),
            "of_seeds": len(views),
        },
        index=details.index,
    )
    if "knn_label" in details:
        table["neighbours_disagree"] = details["knn_label"].to_numpy()
    for at, cause in enumerate(why.offered):
        table[f"rank_{cause}"] = _descending(np.where(known, why.scores[:, at], np.nan))
    for name in run.methods:
        table[f"rank_{name}"] = _descending(run.scores[name].to_numpy(np.float64))
    return table[known].sort_values("rank")


def _descending(score: np.ndarray) -> np.ndarray:
    """Return ranks from 1, the largest first, equal ones by position; NaN last."""
    order = np.argsort(-np.nan_to_num(score, nan=-np.inf), kind="stable")
    rank = np.empty(len(score), dtype=np.int64)
    rank[order] = np.arange(1, len(score) + 1)
    return rank
