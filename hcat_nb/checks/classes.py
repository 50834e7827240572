"""Classes that are none, or one under two names, or too rare to judge."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

from hcat_nb.checks.finding import LOOK, NOTE, SEVERE, Finding
from hcat_nb.data.reading.labels import MISSING_TEXT
from hcat_nb.data.reading.spellings import spellings
from hcat_nb.errors import some
from hcat_nb.registry import split_of

_SPLITS = {"holdout", "unlabeled", "unlabelled"}  # beside those that name files and folders
_RARE = 10  # rows: fewer are not judged by folds or neighbours
_SLIP = 0.05  # share of the other class's rows, below which a name may be a slip of the pen
_ALIKE = 0.8


def class_findings(names: Sequence[Any], counts: Sequence[int]) -> list[Finding]:
    """Return what the names of the classes and their rows show.

    >>> print(*class_findings(["cat", "Cat", "dog"], [40, 10, 50]), sep=chr(10))
    severe: one class is spelled several ways: 'cat' 40, 'Cat' 10; to mend it: join_spellings=True
    """
    rows = dict(zip(names, counts, strict=True))
    findings = []
    if groups := spellings(names, counts):
        shown = "; ".join(", ".join(f"{one!r} {rows[one]:,}" for one in group) for group in groups)
        findings.append(
            Finding(
                "spelling",
                SEVERE,
                f"one class is spelled several ways: {shown}",
                "join_spellings=True",
            )
        )
    if absent := [name for name in names if name in MISSING_TEXT]:
        findings.append(
            Finding(
                "missing",
                SEVERE,
                "a class is called as a missing label is when it is turned into text: "
                + some(f"{name!r} {rows[name]:,}" for name in absent),
                f"missing={absent[0]!r} of a table, or None among labels, if these have no class",
            )
        )
    words = {str(name).strip().lower() for name in names}
    if len(words) >= 2 and all(one in _SPLITS or split_of(one) for one in words):
        findings.append(
            Finding(
                "splits",
                SEVERE,
                f"the classes are called like the parts of a split: {some(map(repr, names))}",
                "the data of one part, or the column that holds the classes: target=",
            )
        )
    joined = {name for group in groups for name in group}
    slips = _slips([name for name in names if name not in joined], rows)
    if slips:
        text = some(f"{one!r} {rows[one]:,} and {two!r} {rows[two]:,}" for one, two in slips)
        findings.append(
            Finding(
                "spelling",
                LOOK,
                f"a rare class is called nearly as another: {text}",
                f"labels.replace({slips[0][0]!r}, {slips[0][1]!r}), if they are one",
            )
        )
    rare = [name for name in names if 0 < rows[name] < _RARE]
    if rare:
        findings.append(
            Finding(
                "rare",
                LOOK if any(rows[name] < _RARE / 2 for name in rare) else NOTE,
                f"classes of fewer than {_RARE} rows are hardly judged: "
                + some(f"{name!r} {rows[name]}" for name in rare),
                "more rows of them, or join them with another class",
            )
        )
    return findings


def _slips(names: Sequence[Any], rows: dict[Any, int]) -> list[tuple[str, str]]:
    """Return rare names and the common one that each resembles; names of digits are codes."""
    texts = [name for name in names if isinstance(name, str) and len(name) >= 4]
    found = []
    for one in texts:
        common = [two for two in texts if rows[one] <= _SLIP * rows[two]]
        near = difflib.get_close_matches(one.lower(), [two.lower() for two in common], 1, _ALIKE)
        twin = next((two for two in common if near and two.lower() == near[0]), None)
        if twin and not any(letter.isdigit() for letter in one + twin):
            found.append((one, twin))
    return found
