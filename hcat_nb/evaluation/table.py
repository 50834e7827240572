"""The public ``evaluate``: scores against the truth, one row a method."""

from __future__ import annotations

import inspect
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from hcat_nb.errors import DataError, check_word
from hcat_nb.evaluation._truth import NOTHING, UNKNOWN, Truth, flags_of, read_truth
from hcat_nb.evaluation.hcat import LOW_IS_HARD, hcat_average_precision
from hcat_nb.evaluation.ranking import (
    N_RESAMPLES,
    Interval,
    auroc,
    average_precision,
    bootstrap_intervals,
)
from hcat_nb.evaluation.threshold import at_k, of_flagged, share_to_k
from hcat_nb.registry import refuse_unknown

COLUMNS = (
    *("hcm", "hardness", "n_hard", "base_rate"),
    *("auroc", "auroc_low", "auroc_high", "auprc", "auprc_low", "auprc_high", "auprc_lift"),
    *("precision_at_k", "recall_at_k", "f1_at_k"),
    *("precision_at_1pct", "precision_at_5pct", "precision_at_10pct"),
    *("tied_at_k", "n_scored", "n_missing", "kind", "note"),
)
FLAGGED_COLUMNS = ("precision_flagged", "recall_flagged", "f1_flagged", "n_flagged")

_DTYPES = {
    **dict.fromkeys(("hardness", "kind", "note"), "str"),
    **dict.fromkeys(("n_hard", "n_scored", "n_missing"), "int64"),
    **dict.fromkeys(("tied_at_k", "n_flagged"), "Int64"),  # n/a where there is no cut
}
_SHARES = {"1pct": 0.01, "5pct": 0.05, "10pct": 0.1}
_POSITION = "position"
_NAN = float("nan")


def evaluate(
    scores: pd.DataFrame | pd.Series,
    truth: Any,
    *,
    flagged: pd.DataFrame | None = None,
    baselines: pd.DataFrame | None = None,
    variant: Literal["paper", "hcat"] = "paper",
    low_is_hard: Collection[Any] = LOW_IS_HARD,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
    **unknown: Any,
) -> pd.DataFrame:
    """Return how well each method's scores find the truly hard samples.

    Hard samples are the positives.  Where the truth holds several kinds of
    hardness there is a row for each: that kind against untouched samples,
    the other kinds left out.  A figure that is not defined is NaN, never 0,
    and ``note`` says why.

    Parameters
    ----------
    scores : DataFrame or Series
        Index: sample ids; a column a method, higher = harder.  A column
        ``position`` is ignored.  Rows whose score is NaN are left out of that
        method's figures and counted.
    truth : DataFrame, Series, array, set or list
        A truth table (``is_hard``, ``hardness``; rows that are not hard and
        whose hardness is ``"unknown"`` are left out); or flags, bool or 0/1, one
        a sample; or the ids of the hard samples.  A table or Series whose
        index is that of the scores in another order is lined up by it.
    flagged : DataFrame, optional
        Samples beyond a method's own threshold, bool, a column a method; adds
        ``precision_flagged``, ``recall_flagged``, ``f1_flagged`` and
        ``n_flagged``.
    baselines : DataFrame, optional
        Scores that cost nothing, index and form as ``scores``; they follow
        the methods, with the kind ``"baseline"``.
    variant : {"paper", "hcat"}
        ``"hcat"``: ``auprc`` and its interval are those of H-CAT's released
        evaluator (:mod:`hcat_nb.evaluation.hcat`), and ``auprc_lift`` their
        ratio to the share of untouched samples, which are its positives.  All
        other figures are as before.  Rows without a score are left out here, too,
        where H-CAT fills in the mean.
    low_is_hard : collection of str
        For ``"hcat"``: methods of which it computes a quantity that is *low*
        for hard samples, as it is by default for the paper's scores.
    n_resamples : int
        Bootstrap resamples for the 95 % intervals; 0 for none.
    seed : int
        Of the bootstrap.
    **unknown
        Refused.

    Returns
    -------
    pandas.DataFrame
        Columns ``hcm, hardness, n_hard, base_rate, auroc, auroc_low,
        auroc_high, auprc, auprc_low, auprc_high, auprc_lift, precision_at_k,
        recall_at_k, f1_at_k, precision_at_1pct, precision_at_5pct,
        precision_at_10pct, tied_at_k, n_scored, n_missing, kind, note``.
        ``auprc`` is average precision and ``auprc_lift`` its ratio to
        ``base_rate``, the share of hard samples; ``k`` is ``n_hard``, the
        hard samples that have a score; ``tied_at_k`` samples share the score
        at that cut (1: none ties) and are counted in expectation; ``kind`` is
        ``"method"`` or ``"baseline"``.

    Raises
    ------
    DataError
        If scores are no numbers, or the truth is text, of another length, or
        names ids that do not exist; or a baseline has a method's name.
    SpecError
        If there is no such variant.
    UnknownNameError
        If there is no such option; names the nearest.

    Examples
    --------
    >>> import pandas as pd
    >>> scores = pd.DataFrame({"loss": [0.9, 0.1, 0.8, 0.3, 0.2]}, index=list("abcde"))
    >>> evaluate(scores, {"a", "d"}).loc[0, ["auroc", "precision_at_k"]].tolist()
    [0.8333333333333334, 0.5]
    """
    options = inspect.getfullargspec(evaluate).kwonlyargs
    refuse_unknown(unknown, options, "evaluate has no option {!r}")
    check_word("variant", variant, ("paper", "hcat"))
    table = _numeric(scores)
    n_methods = len(table.columns)
    if baselines is not None:
        table = _joined(table, _numeric(baselines))
    known = read_truth(truth, table.index)
    flags = None if flagged is None else _flags(flagged, table)
    # An untouched dataset still gets its rows: every figure n/a, with the reason.
    parts = [_part(known, kind) for kind in known.kinds() or [NOTHING]]
    rows = []
    low = frozenset(low_is_hard) if variant == "hcat" else None
    intervals = [_intervals(table, part, n_resamples, seed, low) for part in parts]
    for number, hcm in enumerate(table.columns):
        for part, ends in zip(parts, intervals, strict=True):
            row = _row(hcm, table[hcm].to_numpy(), part, ends.get(hcm), low)
            row["kind"] = "method" if number < n_methods else "baseline"
            if flags is not None:
                row |= _flagged_cells(flags.get(hcm), table[hcm].to_numpy(), part)
            rows.append(row)
    columns = [*COLUMNS[:-1], *(FLAGGED_COLUMNS if flags is not None else ()), "note"]
    found = pd.DataFrame(rows, columns=columns)
    # Where no row has a figure pandas would call the column object.
    return found.astype({name: _DTYPES.get(name, "float64") for name in columns if name != "hcm"})


@dataclass(frozen=True, eq=False)
class _Part:
    """One kind of hardness: which rows take part, and which of all rows are hard."""

    kind: str
    rows: np.ndarray
    positive: np.ndarray


def _part(truth: Truth, kind: str) -> _Part:
    positive = truth.is_hard & (truth.hardness == kind)
    return _Part(kind, positive | (~truth.is_hard & (truth.hardness != UNKNOWN)), positive)


def _numeric(scores: Any) -> pd.DataFrame:
    """Return the methods' columns as float64."""
    if isinstance(scores, pd.Series):
        scores = scores.to_frame("score" if scores.name is None else scores.name)
    if not isinstance(scores, pd.DataFrame):
        raise DataError(
            f"scores are of type {type(scores).__name__}",
            "a DataFrame (a column a method) or a Series, indexed by sample id",
        )
    table = scores.drop(columns=[_POSITION], errors="ignore")
    if not len(table.columns):
        raise DataError("there are no scores", "a column a method")
    if not table.columns.is_unique:
        twice = table.columns[table.columns.duplicated()][0]
        raise DataError(f"two columns of scores are called {twice!r}", "one a method")
    for name in table.columns:
        if not is_numeric_dtype(table[name]):
            raise DataError(f"the scores {name!r} are of type {table[name].dtype}", "numbers")
    return table.astype(np.float64)


def _joined(table: pd.DataFrame, baselines: pd.DataFrame) -> pd.DataFrame:
    twice = table.columns.intersection(baselines.columns)
    if len(twice):
        raise DataError(f"a baseline and a method are called {twice[0]!r}", "names of their own")
    if not baselines.index.equals(table.index):
        raise DataError("baselines and scores have different sample ids", "the same index")
    return table.assign(**{name: baselines[name].to_numpy() for name in baselines.columns})


def _flags(flagged: pd.DataFrame, table: pd.DataFrame) -> dict[Any, np.ndarray]:
    chosen = flagged.drop(columns=[_POSITION], errors="ignore")
    strangers = [name for name in chosen.columns if name not in table.columns]
    if strangers:
        raise DataError(
            f"flagged names {strangers[0]!r}, which has no scores",
            "some of " + ", ".join(map(str, table.columns)),
        )
    if not chosen.index.equals(table.index):
        raise DataError("flagged and scores have different sample ids", "the same index")
    return {
        name: flags_of(chosen[name], len(table), f"flagged[{name!r}]") for name in chosen.columns
    }


def _intervals(
    table: pd.DataFrame,
    part: _Part,
    n_resamples: int,
    seed: int,
    low_is_hard: Collection[Any] | None,
) -> dict[Any, tuple[Interval, Interval]]:
    """Return intervals by method; methods that score the same rows share their resamples."""
    alike: dict[bytes, list[Any]] = {}
    for hcm in table.columns:
        scored = part.rows & table[hcm].notna().to_numpy()
        alike.setdefault(scored.tobytes(), []).append(hcm)
    found: dict[Any, tuple[Interval, Interval]] = {}
    for mask, hcms in alike.items():
        scored = np.frombuffer(mask, dtype=bool)
        columns, positive = table[hcms].to_numpy()[scored], part.positive[scored]
        ends = bootstrap_intervals(columns, positive, n_resamples, seed)
        if low_is_hard is not None:
            signs = np.array([-1 if hcm in low_is_hard else 1 for hcm in hcms])
            theirs = bootstrap_intervals(columns * signs, ~positive, n_resamples, seed)
            ends = [(roc, pr) for (roc, _), (_, pr) in zip(ends, theirs, strict=True)]
        found.update(zip(hcms, ends, strict=True))
    return found


def _row(
    hcm: Any,
    scores: np.ndarray,
    part: _Part,
    ends: tuple[Interval, Interval] | None,
    low_is_hard: Collection[Any] | None,
) -> dict[str, Any]:
    scored = part.rows & ~np.isnan(scores)
    values, positive = scores[scored], part.positive[scored]
    n, hard = len(values), int(positive.sum())
    roc, pr = ends or (Interval(_NAN, _NAN), Interval(_NAN, _NAN))
    row: dict[str, Any] = {
        "hcm": hcm,
        "hardness": part.kind,
        "n_hard": hard,
        "base_rate": hard / n if n else _NAN,
        "n_scored": n,
        "n_missing": int(part.rows.sum()) - n,
        "note": _why_undefined(n, hard, int(part.positive.sum())),
    }
    if row["note"]:
        return row
    cut = at_k(values, positive, hard)
    area, positives = average_precision(values, positive), row["base_rate"]
    if low_is_hard is not None:
        low = hcm in low_is_hard
        area = hcat_average_precision(values, positive, low_when_hard=low)
        positives = 1 - positives
    row |= {
        "auroc": auroc(values, positive),
        "auroc_low": roc.low,
        "auroc_high": roc.high,
        "auprc": area,
        "auprc_low": pr.low,
        "auprc_high": pr.high,
        "auprc_lift": area / positives,
        "precision_at_k": cut.precision,
        "recall_at_k": cut.recall,
        "f1_at_k": cut.f1,
        "tied_at_k": cut.tied,
    }
    for name, share in _SHARES.items():
        k = share_to_k(share, n)
        row[f"precision_at_{name}"] = at_k(values, positive, k).precision
        if k == 0 and not row["note"]:
            row["note"] = f"{share:.0%} of {n} samples is none"
    return row


def _flagged_cells(flagged: np.ndarray | None, scores: np.ndarray, part: _Part) -> dict[str, Any]:
    if flagged is None:  # this method has no threshold of its own
        return {}
    scored = part.rows & ~np.isnan(scores)
    positive = part.positive[scored]
    worth = of_flagged(flagged[scored], positive)
    if positive.all() or not positive.any():
        return {"n_flagged": worth.n}
    return {
        "precision_flagged": worth.precision,
        "recall_flagged": worth.recall,
        "f1_flagged": worth.f1,
        "n_flagged": worth.n,
    }


def _why_undefined(n: int, hard: int, hard_before: int) -> str:
    """Return why no metric is defined, empty if all are."""
    if n == 0:
        return "no sample has a score"
    if n == 1:
        return "one sample only"
    if hard == n:
        return "every sample is hard"
    if hard == 0:
        return "no hard sample has a score" if hard_before else "no sample is hard"
    return ""
