"""Levels of categorical columns that a typing error may have made.

Methods that watch training cannot be trusted with these: six rows of one
place with an impossible latitude, say, are learned as easily as others.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from hcat_nb.errors import some

_RARE = 0.01  # share of the rows
_FEWEST = 5  # levels of one form, to say what is usual
_FENCE = 3.0  # interquartile ranges beyond the quartiles: Tukey's "far out"
_LISTED = 8
_ABSENT = {"", "?", "-", "na", "n/a", "nan", "null", "unknown", "missing"}  # in lower case


def odd_levels(columns: Mapping[str, Mapping[Any, int]], n: int) -> list[str]:
    """Return notes on levels that seem to be missing values, far-off numbers, or very rare.

    Of each column the rows of each level are given, of ``n`` in all.
    """
    far, rare = [], []
    for name, counts in columns.items():
        told = {level: (count, f"{name} {level!r} {count}") for level, count in counts.items()}
        far += [told[level] for level in far_numbers(counts)]
        if len(counts) > 2:  # of two levels the rarer one is a class, not an error
            rare += [told[level] for level, count in counts.items() if count < _RARE * n]
    notes = _unmarked(columns)
    for what, found in (
        ("levels whose number lies far from those of the others", far),
        (f"levels of less than {100 * _RARE:g} % of the rows", rare),
    ):
        found.sort()
        if found:
            notes.append(f"{what}: {some((text for _, text in found), _LISTED)}")
    return notes


def _unmarked(columns: Mapping[str, Iterable[Any]]) -> list[str]:
    """Return a note on levels that elsewhere stand for a missing value."""
    found = {
        name: [one for one in levels if isinstance(one, str) and one.strip().lower() in _ABSENT]
        for name, levels in columns.items()
    }
    told = [f"{name} {text!r}" for name, texts in found.items() for text in sorted(texts)]
    if not told:
        return []
    marker = next(texts[0] for texts in found.values() if texts).strip()
    return [
        f"levels that may stand for a missing value: {some(told, _LISTED)} "
        f"(missing={marker!r} makes them one)"
    ]


def far_numbers(levels: Iterable[Any]) -> list[str]:
    """Return the texts of one form in which a number lies far from those of the others.

    Texts have one form if they are equal but for their digits; far is more than three interquartile
    ranges, of the distinct texts, beyond the quartiles.

    >>> far_numbers(["39__38", "40__11", "40__57", "41__08", "41__16", "82__32"])
    ['82__32']
    """
    forms: dict[str, list[str]] = defaultdict(list)
    for level in levels:
        if isinstance(level, str) and re.search(r"\d", level):
            forms[re.sub(r"\d+", "0", level)].append(level)
    found: dict[str, None] = {}
    for texts in forms.values():
        if len(texts) < _FEWEST:
            continue
        table = np.array([[float(one) for one in re.findall(r"\d+", text)] for text in texts])
        low, high = np.quantile(table, [0.25, 0.75], axis=0)
        fence = _FENCE * np.maximum(high - low, 1.0)  # equal numbers: one more is not far
        far = ((table < low - fence) | (table > high + fence)).any(axis=1)
        found |= dict.fromkeys(text for text, odd in zip(texts, far, strict=True) if odd)
    return list(found)
