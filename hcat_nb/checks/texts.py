"""What texts show: a label that is written in them, empty ones, and equal ones but for spaces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hcat_nb.checks.finding import LOOK, NOTE, SEVERE, Finding
from hcat_nb.errors import some

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["text_findings"]

_ROWS = 20_000
_TELLS = 0.99


def text_findings(texts: pd.Series, labels: np.ndarray, names: Sequence[Any]) -> list[Finding]:
    """Return what is wrong with texts.

    Parameters
    ----------
    texts : pandas.Series of n texts
    labels : array of shape (n,), int64
        Class codes, -1 where missing.
    names : sequence
        The value of each class.
    """
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

    rows = np.random.default_rng(0).permutation(np.flatnonzero(labels >= 0))[:_ROWS]
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
