"""All findings of a table, ranked by harm; and the cheap ones, for the start of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hcat_nb.checks.alone import alone, leaks, order_finding, priced, sampled
from hcat_nb.checks.columns import collapsed, column_findings, header, identifiers
from hcat_nb.checks.finding import Finding
from hcat_nb.checks.profile import Profile, profiles
from hcat_nb.checks.rows import row_groups, twin_findings
from hcat_nb.checks.texts import text_findings
from hcat_nb.data._spellings import joint_codes

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["WIDEST", "apart_from", "quick_findings", "table_findings"]

WIDEST = 2000  # columns that are looked at one by one
_QUICK = (4000, 250)  # rows and columns


def table_findings(
    frame: pd.DataFrame,
    columns: Sequence[Profile],
    labels: np.ndarray,
    names: Sequence[Any],
    *,
    text: str | None = None,
    read: dict[str, np.ndarray] | None = None,
) -> list[Finding]:
    """Return what is wrong with a table of features.

    Parameters
    ----------
    frame : pandas.DataFrame of n rows
        The feature columns as they came.
    columns : sequence of Profile
        Of the first ``WIDEST`` of them.
    labels : array of shape (n,), int64
        Class codes, -1 where missing.
    names : sequence
        The value of each class.
    text : str, optional
        Column of texts.
    read : dict of str to array of shape (n,), float32, optional
        What a run reads of the columns of numbers.
    """
    plain = [one for one in columns if one.name != text]
    given, known = labels, len(names) and labels >= 0
    labels = np.where(known, joint_codes(names)[labels], labels)  # spellings of a class are one
    findings = _about_columns(plain, labels)
    findings += header([one.name for one in plain])
    findings += column_findings(plain)
    findings += collapsed(plain, read or {})
    if text is not None:
        findings += text_findings(frame[text], labels, names)
    apart = apart_from(findings)
    kept = [one for one in columns if one.name not in apart]
    if kept:
        keys = row_groups(kept, len(frame))
        found = twin_findings(keys, given, names, frame.index, exact=not plain, apart=apart)
        findings += found
    return findings + order_finding(labels, len(np.unique(labels[labels >= 0])))


def apart_from(findings: Sequence[Finding]) -> list[str]:
    """Return the columns in which twins may differ: one identifier would hide all of them."""
    kinds = ("identifier", "constant")
    return [name for one in findings if one.kind in kinds for name in one.columns]


def quick_findings(
    frame: pd.DataFrame, labels: np.ndarray, text: str | None = None
) -> list[Finding]:
    """Return leaks, identifiers and constants, by some of the rows of a large table.

    Parameters
    ----------
    frame, labels, text
        As in :func:`table_findings`.
    """
    rows, width = _QUICK
    step = max(1, -(-len(frame) // rows))
    part = frame.drop(columns=[] if text is None else [text]).iloc[::step, :width]
    columns = profiles(part)
    rare = [one.name for one in columns if len(one.levels) < 2 and step > 1]
    varying = {name for name in rare if len(frame[name].unique()) > 1}
    columns = [one for one in columns if one.name not in varying]
    constant = [one for one in column_findings(columns) if one.kind == "constant"]
    return [*_about_columns(columns, labels[::step]), *constant]


def _about_columns(columns: Sequence[Profile], labels: np.ndarray) -> list[Finding]:
    """Return the columns that give the label away, and those that number rows."""
    classes, codes = np.unique(labels, return_inverse=True)
    codes = codes - int(classes[0] < 0) if len(classes) else codes
    n_classes = int(codes.max(initial=-1)) + 1
    rows = sampled(len(labels), len(columns))
    rows = rows[codes[rows] >= 0]
    scores: dict[str, float] = {}
    if n_classes > 1 and len(rows) >= 4 * n_classes:
        scores = {
            one.name: alone(one, codes, rows, n_classes) for one in columns if len(one.levels) > 1
        }
    found = identifiers(columns, scores, n_classes)
    named = {name for one in found for name in one.columns if one.kind == "identifier"}
    features = [one for one in columns if one.name not in named]
    scores = {name: score for name, score in scores.items() if name not in named}
    return priced([*leaks(features, scores, n_classes), *found], columns, codes)
