"""How well a score ranks samples as people disagree about them: a soft truth.

Where several people labelled each sample, a sample that they label unlike is
ambiguous, whatever its final label.  Disagreement is the entropy of the votes
(Peterson et al. 2019, arXiv 1908.07086, compare networks with people so).
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import pandas as pd

from hcat_nb.errors import DataError, check_word
from hcat_nb.evaluation._truth import aligned
from hcat_nb.evaluation.consistency import agree

COLUMNS = ("hcm", "spearman", "low", "high", "n", "n_missing", "note")
_Z = 1.959964  # of a 95 % interval


def evaluate_votes(
    scores: pd.DataFrame, votes: pd.DataFrame, *, form: Literal["labels", "counts"]
) -> pd.DataFrame:
    """Return Spearman's rank correlation of each method's scores with people's disagreement.

    Parameters
    ----------
    scores : DataFrame
        Index: sample ids; a column a method, higher = harder, as ``run.scores``.
    votes : DataFrame
        The same index, in any order.
    form : {"labels", "counts"}
        What a column of ``votes`` is: a person, whose cells are class labels,
        missing where she gave none; or a class, whose cells count its votes.

    Returns
    -------
    pandas.DataFrame
        ``hcm``; ``spearman`` in [-1, 1], above 0 where samples that people
        disagree about rank as hard; ``low`` and ``high``, its 95 % interval (Bonett and
        Wright 2000); ``n`` samples with a score and two votes at least,
        ``n_missing`` others; ``note`` why a figure is NaN.

    Raises
    ------
    DataError
        If counts are no whole numbers from 0, or ids do not match.

    Examples
    --------
    >>> scores = pd.DataFrame({"loss": [0.1, 0.7, 2.3]}, index=["a", "b", "c"])
    >>> votes = pd.DataFrame({"cat": [3, 2, 1], "dog": [0, 1, 2], "owl": [0, 0, 2]}, scores.index)
    >>> evaluate_votes(scores, votes, form="counts")[["hcm", "spearman", "n"]].values.tolist()
    [['loss', 1.0, 3]]
    """
    check_word("form", form, ("labels", "counts"))
    unlike = disagreement(aligned(votes, scores.index, "the table of votes"), form)
    table = scores.drop(columns="position", errors="ignore")
    rows = []
    for hcm in table.columns:
        found = agree(table[hcm], unlike, top=1.0, kendall=False)
        low, high = _interval(found.spearman, found.n)
        rows.append((hcm, found.spearman, low, high, found.n, found.n_missing, found.note))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def disagreement(votes: pd.DataFrame, form: Literal["labels", "counts"]) -> np.ndarray:
    """Return the entropy of each row's votes, (n,), in nats; NaN of fewer than two votes."""
    if form == "labels":
        codes, classes = pd.factorize(votes.to_numpy(dtype=object).ravel())
        codes = codes.reshape(votes.shape)
        counts = np.stack([(codes == k).sum(axis=1) for k in range(len(classes))], axis=1)
    else:
        counts = votes.apply(pd.to_numeric, errors="coerce").to_numpy(np.float64)
        if not (np.isfinite(counts) & (counts >= 0) & (counts == np.floor(counts))).all():
            raise DataError(
                "the votes hold what is no count",
                "whole numbers from 0, a column a class",
                'give form="labels" if a column is a person',
            )
    total = counts.sum(axis=1, keepdims=True)
    share = counts / np.maximum(total, 1)
    terms = np.zeros_like(share)
    np.log(share, out=terms, where=share > 0)
    # + 0: no row says -0
    return np.where(total[:, 0] >= 2, -(share * terms).sum(axis=1) + 0.0, np.nan)


def _interval(spearman: float, n: int) -> tuple[float, float]:
    """Return a 95 % interval of a rank correlation of n pairs; NaN below five."""
    if n < 5 or math.isnan(spearman):
        return math.nan, math.nan
    middle = math.atanh(max(-1 + 1e-12, min(1 - 1e-12, spearman)))
    half = _Z * math.sqrt((1 + spearman**2 / 2) / (n - 3))
    return math.tanh(middle - half), math.tanh(middle + half)
