"""All findings of a table, ranked by harm; and the cheap ones, for the start of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from hcat_nb.checks.alone import alone, leaks, order_finding, priced, sampled
from hcat_nb.checks.columns import collapsed, column_findings, constants, header, identifiers
from hcat_nb.checks.finding import EXCLUDABLE, LOOK, NOTE, SEVERE, Finding
from hcat_nb.checks.profile import Profile, profiles
from hcat_nb.checks.rows import row_groups, twin_findings
from hcat_nb.data.reading.spellings import joint_codes
from hcat_nb.errors import some

_MANY = 1 / 3  # distinct values of a column, as a share of the rows: twins there are no chance
WIDEST = 2000  # columns that are looked at one by one
_ROWS, COLUMNS = 4000, 250  # that are looked at before a run
_TEXTS = 20_000
_TELLS = 0.99


def table_findings(
    frame: pd.DataFrame,
    columns: Sequence[Profile],
    labels: np.ndarray,
    names: Sequence[Any],
    *,
    text: str | None = None,
    read: Mapping[str, np.ndarray] | None = None,
) -> list[Finding]:
    """Return what is wrong with a table of features.

    ``frame``: the feature columns as they came; ``columns``: of the first ``WIDEST`` of them;
    ``labels`` (n,) int64: class codes, -1 where missing; ``names``: the value of each class;
    ``text``: column of texts; ``read`` (n,) float32: what a run reads of the columns of numbers.
    """
    plain = [one for one in columns if one.name != text]
    findings = about_columns(plain, labels, names)
    findings += header(one.name for one in plain)
    findings += column_findings(plain)
    findings += collapsed(plain, read or {})
    if text is not None:
        findings += text_findings(frame[text], labels, names)
    apart = apart_from(findings)
    if kept := [one for one in columns if one.name not in apart]:
        keys = row_groups(kept, len(frame))
        ids, exact = frame.index, not plain
        fine = any(len(one.levels) > _MANY * len(frame) for one in kept)
        findings += twin_findings(keys, labels, names, ids, exact=exact, fine=fine, apart=apart)
    return findings + order_finding(labels, len(np.unique(labels[labels >= 0])))


def about_columns(
    columns: Sequence[Profile], labels: np.ndarray, names: Sequence[Any] = ()
) -> list[Finding]:
    """Return the columns that give the label away, that number rows, and that are constant.

    Spellings of one class count as one.
    """
    if len(names):
        labels = np.where(labels >= 0, joint_codes(names)[labels], labels)
    present = np.unique(labels[labels >= 0])
    codes = np.where(labels >= 0, np.searchsorted(present, labels), -1)
    n_classes, scores = len(present), {}
    rows = sampled(len(labels), len(columns))
    rows = rows[codes[rows] >= 0]
    if n_classes > 1 and len(rows) >= 4 * n_classes:
        varying = [one for one in columns if len(one.levels) > 1]
        scores = {one.name: alone(one, codes, rows, n_classes) for one in varying}
    found = identifiers(columns, scores, n_classes)
    named = {name for one in found for name in one.columns if one.kind == "identifier"}
    features = [one for one in columns if one.name not in named]
    scores = {name: score for name, score in scores.items() if name not in named}
    found = priced([*leaks(features, scores, n_classes), *found], columns, codes)
    return found + constants(columns)


def apart_from(findings: Sequence[Finding]) -> list[str]:
    """Return the columns in which twins may differ: an identifier, or a leak, would hide them."""
    return [name for one in findings if one.kind in EXCLUDABLE for name in one.columns]


def quick_findings(
    frame: pd.DataFrame, labels: np.ndarray, names: Sequence[Any] = (), text: str | None = None
) -> list[Finding]:
    """Return leaks, identifiers and constants, by some of the rows of a large table."""
    step = max(1, -(-len(frame) // _ROWS))
    part = frame.drop(columns=[] if text is None else [text]).iloc[::step, :COLUMNS]
    columns = profiles(part)
    if step > 1:  # what looks constant in these rows may not be
        same = [one for one in columns if len(one.levels) < 2]
        varying = {one.name for one in same if len(frame[one.name].unique()) > 1}
        columns = [one for one in columns if one.name not in varying]
    return about_columns(columns, labels[::step], names)


def text_findings(texts: pd.Series, labels: np.ndarray, names: Sequence[Any]) -> list[Finding]:
    """Return what is wrong with texts."""
    words = texts.fillna("").astype(str).str.strip()
    findings = _written(words, labels, names)
    if empty := int((words == "").sum()):
        text = f"{empty:,} texts are empty"
        findings.append(Finding("missing", LOOK, text, "leave these rows out: they say nothing"))
    more = words.str.casefold().str.split().str.join(" ")
    alike = int(more[more != ""].duplicated(keep=False).sum() - texts.duplicated(keep=False).sum())
    if alike > 0:
        text = f"{alike:,} more texts are equal to another but for case and spaces"
        findings.append(Finding("duplicate", NOTE, text, "drop those that are one text twice"))
    return findings


def _written(words: pd.Series, labels: np.ndarray, names: Sequence[Any]) -> list[Finding]:
    """Return the words, one a class, that tell it without fail."""
    from sklearn.feature_extraction.text import CountVectorizer

    rows = np.random.default_rng(0).permutation(np.flatnonzero(labels >= 0))[:_TEXTS]
    present, codes = np.unique(labels[rows], return_inverse=True)
    if len(present) < 2 or len(rows) < 10 * len(present):
        return []
    counter = CountVectorizer(binary=True, token_pattern=r"\S+", min_df=5)  # noqa: S106
    try:
        seen = counter.fit_transform(words.iloc[rows])
    except ValueError:  # no word is in five texts
        return []
    both = np.asarray(seen.T @ np.eye(len(present))[codes])  # (words, classes)
    total, size = both.sum(axis=1, keepdims=True), np.bincount(codes)
    sure = np.minimum(both / total, both / size)
    told = sure.max(axis=0) >= _TELLS
    if told.sum() < len(present) - 1:
        return []
    terms = counter.get_feature_names_out()[sure.argmax(axis=0)]
    shown = some(
        f"{term!r} for {names[code]!r}"
        for term, code, one in zip(terms, present, told, strict=True)
        if one
    )
    text = f"a word in the text tells the class without fail: {shown}"
    return [Finding("leak", SEVERE, text, "take it out of the texts, if it is the label written")]
