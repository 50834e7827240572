"""Columns that are no features, or not what they seem: pure functions of their profiles."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from hcat_nb.checks.alone import above_chance
from hcat_nb.checks.finding import LOOK, NOTE, SEVERE, Finding, leave_out, some
from hcat_nb.checks.profile import Profile
from hcat_nb.data._odd_levels import far_numbers
from hcat_nb.data._spellings import spellings

__all__ = ["collapsed", "column_findings", "header", "identifiers", "missing_words"]

_NAMED = re.compile(
    r"(^|[\W_]|(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[a-z]))"
    r"(id|no|nr|nbr|idx|index|row|rownum|uuid|guid|key|#)\W*$|^#$|^unnamed: ?\d+$"
    r"|^(id|index|row|record|sample|case|serial)([\W_]|$)"
    r"|(user|customer|client|patient|subject|person|case|sample|record|row|image|file)id$",
    re.IGNORECASE,
)
_CASED = re.compile(r"(?<=[a-z])(Id|ID|No|Nr)$|(?<=[A-Z])(id|no|nr)$")
_FEW = 50  # distinct numbers that may be codes of categories
_CERTAIN = 10.0  # expected repetitions, if numbers were drawn at random, from which none is proof
_ALMOST = 0.999
_TELLS_CLASS = 0.5  # of the way from chance to certainty
_SENTINEL = re.compile(r"-?9{2,}|-[19]")
_WORDS = {"", "?", "-", "--", ".", "na", "n/a", "nan", "null", "none", "unknown", "missing", "nil"}


def column_findings(columns: Sequence[Profile]) -> list[Finding]:
    """Return what single columns show, without a look at the labels."""
    rules: tuple[Callable[[Sequence[Profile]], list[Finding]], ...] = (
        _constant,
        _typed,
        _spoiled,
        _sentinels,
        _missing,
        _spelled,
    )
    return [finding for rule in rules for finding in rule(columns)]


def identifiers(
    columns: Sequence[Profile], scores: Mapping[str, float], n_classes: int
) -> list[Finding]:
    """Return the columns that number or name rows; severe where such a one tells the class.

    Parameters
    ----------
    columns : sequence of Profile
    scores : mapping of str to float
        How well each alone tells the class.
    n_classes : int
    """
    found: dict[str, list[str]] = {}
    for one in columns:
        if what := _identity(one):
            found.setdefault(what, []).append(one.name)
    findings = []
    for what, names in found.items():
        telling = [
            name for name in names if above_chance(scores.get(name, 0.0), n_classes) >= _TELLS_CLASS
        ]
        for group, severity in ((telling, SEVERE), ([n for n in names if n not in telling], LOOK)):
            if not group:
                continue
            shown = some(map(repr, group))
            told = f", and the class lies in {'their' if len(group) > 1 else 'its'} order"
            codes = what == _CODES
            findings.append(
                Finding(
                    "codes" if codes else "identifier",
                    (SEVERE if severity is SEVERE else NOTE) if codes else severity,
                    f"{shown}: {what}" + (told if severity is SEVERE else ""),
                    f"drop={group[0]!r} or categorical={group[0]!r}"
                    if codes
                    else f"{leave_out(group)}; groups={group[0]!r} if rows share a value"
                    if what == _NAMES
                    else leave_out(group),
                    columns=tuple(group),
                )
            )
    return findings


_COUNTS = "counting the rows"
_RISES = "rising from each row to the next"
_DISTINCT = "another value in each row, as identifiers have"
_NAMES = "called like an identifier"
_CODES = "called like a number of something, and read as an amount"


def _identity(column: Profile) -> str:
    n, k = len(column.codes), len(column.levels)
    named = bool(_NAMED.search(column.name) or _CASED.search(column.name))
    if column.kind == "words" and column.is_text:
        if k >= 0.95 * n and k > _FEW:
            return _DISTINCT
        return _NAMES if named and k > _FEW and 2 * k > n else ""
    if column.values is None or k < 2 or column.levels.dtype.kind == "b":
        return ""
    if k == n and n >= 8:
        steps = np.diff(column.values)
        if len(np.unique(steps)) == 1:
            return _COUNTS
        if n >= 30 and ((steps > 0).all() or (steps < 0).all()):
            return _RISES
    if not column.whole:
        return ""
    span = float(column.levels.max()) - float(column.levels.min()) + 1
    if k == n and n * n / (2 * span) >= _CERTAIN:
        return _DISTINCT
    if named and k > 2:
        return _NAMES if k > _FEW or k == n else _CODES
    return ""


def _constant(columns: Sequence[Profile]) -> list[Finding]:
    empty = [one.name for one in columns if not len(one.levels)]
    same = [one for one in columns if len(one.levels) == 1 and not one.n_missing]
    almost = [
        one
        for one in columns
        if len(one.levels) > 1 and one.counts.max() >= max(_ALMOST * len(one.codes), 100)
    ]
    findings = []
    if empty:
        text = f"empty throughout: {some(map(repr, empty))}"
        findings.append(Finding("constant", LOOK, text, leave_out(empty), columns=tuple(empty)))
    if same:
        names = tuple(one.name for one in same)
        shown = some(f"{one.name!r} is {one.levels.tolist()[0]!r}" for one in same)
        text = f"the same in every row: {shown}"
        findings.append(Finding("constant", LOOK, text, leave_out(names), columns=names))
    if almost:
        shown = some(
            f"{one.name!r} but for {len(one.codes) - one.counts.max():,} rows" for one in almost
        )
        findings.append(Finding("almost constant", NOTE, f"the same in nearly every row: {shown}"))
    return findings


def _typed(columns: Sequence[Profile]) -> list[Finding]:
    kinds = {
        "numbers as text": (
            "numbers held as text, read as categories without an order",
            "pandas.to_numeric(frame[{0!r}])",
        ),
        "decimal commas": (
            "numbers with a decimal comma, read as categories without an order",
            "decimal=','",
        ),
        "dates as text": (
            "dates held as text, read as categories without an order",
            "exclude={0!r}, or numbers made of them: pandas.to_datetime(frame[{0!r}]).dt.year",
        ),
        "date": (
            "dates",
            "exclude={0!r}, or numbers made of them: frame[{0!r}].dt.year",
        ),
    }
    findings = []
    for kind, (what, remedy) in kinds.items():
        found = [one for one in columns if one.kind == kind and not _is_code(one) and not _bad(one)]
        if found:
            shown = some(f"{one.name!r} (as {str(one.levels[0])!r})" for one in found)
            findings.append(
                Finding(
                    "type",
                    LOOK,
                    f"{what}: {shown}",
                    remedy.format(found[0].name),
                    columns=tuple(one.name for one in found),
                )
            )
    return findings


def _is_code(column: Profile) -> bool:
    """Whether numbers held as text begin with zeros, as postcodes do."""
    return column.kind == "numbers as text" and any(
        re.match(r"0\d", one.strip()) for one in column.levels
    )


def _bad(column: Profile) -> list[str]:
    """Return the texts of a column of numbers that are none."""
    if column.kind != "numbers as text":
        return []
    return list(column.levels[np.isnan(column.numeric)])


def _spoiled(columns: Sequence[Profile]) -> list[Finding]:
    findings = []
    bad = {one: texts for one in columns if (texts := _bad(one))}
    far = {one: far_numbers(one.levels) for one in columns if one.kind == "words"}
    for found, what in (
        (bad, "columns of numbers but for some cells"),
        (far, "texts whose number lies far from those of all others"),
    ):
        shown = [_in_rows(one, texts) for one, texts in found.items() if texts]
        if not shown:
            continue
        first = next(texts[0] for texts in found.values() if texts)
        names = tuple(one.name for one, texts in found.items() if texts)
        codes = f", or categorical={names[0]!r} if all are codes" if found is bad else ""
        findings.append(
            Finding(
                "spoiled",
                LOOK,
                f"{what}: {some(shown)}",
                f"correct the cells; missing={first!r} if that stands for a missing value{codes}",
                columns=names,
            )
        )
    return findings


def _in_rows(column: Profile, texts: Sequence[str]) -> str:
    rows = int(column.counts[np.isin(column.levels, texts)].sum())
    return f"{column.name!r} {some(map(repr, texts), 3)} in {rows:,} rows"


def _sentinels(columns: Sequence[Profile]) -> list[Finding]:
    """Return numbers such as -999 that stand apart from all others, and more than once."""
    found = []
    for one in columns:
        if not one.whole or len(one.levels) < 5:
            continue
        levels = np.sort(one.levels.astype(np.float64))
        for level, rest in ((levels[0], levels[1:]), (levels[-1], levels[:-1])):
            apart = np.abs(rest - level).min() > (rest[-1] - rest[0]) / 2
            below = level < 0 <= rest[0]
            count = int(one.counts[one.levels == level].sum())
            if _SENTINEL.fullmatch(f"{level:.0f}") and count > 1 and (apart or below):
                found.append((one.name, f"{level:.0f}", count))
    if not found:
        return []
    name, level, _ = found[0]
    shown = some(f"{name!r} {level} in {count:,} rows" for name, level, count in found)
    return [
        Finding(
            "missing",
            LOOK,
            f"numbers that may stand for a missing value: {shown}",
            f"frame[{name!r}].replace({level}, float('nan')), and impute='median'",
            columns=tuple(dict.fromkeys(name for name, _, _ in found)),
        )
    ]


def missing_words(column: Profile) -> dict[str, int]:
    """Return the words of a column that elsewhere stand for a missing value, and their rows."""
    if column.values is not None:
        return {}
    return {
        one: int(count)
        for one, count in zip(column.levels, column.counts, strict=True)
        if isinstance(one, str) and one.strip().lower() in _WORDS
    }


def _missing(columns: Sequence[Profile]) -> list[Finding]:
    found = {one.name: words for one in columns if (words := missing_words(one))}
    if not found:
        return []
    shown = some(
        f"{name!r} {word!r} {count:,}"
        for name, words in found.items()
        for word, count in words.items()
    )
    marker = next(iter(next(iter(found.values())))).strip()
    return [
        Finding(
            "missing",
            NOTE,
            f"words that may stand for a missing value, read as levels: {shown}",
            f"missing={marker!r}",
            columns=tuple(found),
        )
    ]


def _spelled(columns: Sequence[Profile]) -> list[Finding]:
    words = [one for one in columns if one.kind == "words" and len(one.levels) <= 2000]
    findings = []
    several = {one.name: groups for one in words if (groups := spellings(one.levels.tolist()))}
    if several:
        name, groups = next(iter(several.items()))
        shown = some(f"{name!r}: {some(map(repr, next(iter(g))))}" for name, g in several.items())
        findings.append(
            Finding(
                "spelling",
                LOOK,
                f"one level spelled several ways, read as several: {shown}",
                f"frame[{name!r}].replace({dict.fromkeys(groups[0][1:], groups[0][0])!r})",
                columns=tuple(several),
            )
        )
    spaced = [one.name for one in words if any(level != level.strip() for level in one.levels)]
    if spaced:
        findings.append(
            Finding(
                "spelling",
                NOTE,
                f"values begin or end with a space in {some(map(repr, spaced))}",
                f"frame[{spaced[0]!r}].str.strip(), before tables are joined or values compared",
                columns=tuple(spaced),
            )
        )
    return findings


def collapsed(columns: Sequence[Profile], read: Mapping[str, np.ndarray]) -> list[Finding]:
    """Return the columns of which float32 does not tell the values apart.

    Parameters
    ----------
    columns : sequence of Profile
    read : mapping of str to array of shape (n,), float32
        What a run reads of each.
    """
    found = []
    for one in columns:
        if one.values is None or len(one.levels) < 2 or one.name not in read:
            continue
        left = len(np.unique(read[one.name][one.codes >= 0]))
        if left < 0.9 * len(one.levels):
            found.append((left / len(one.levels), one, left))
    if not found:
        return []
    share, first, _ = min(found, key=lambda each: each[0])
    shown = some(f"{one.name!r} ({len(one.levels):,} become {left:,})" for _, one, left in found)
    return [
        Finding(
            "collapse",
            SEVERE if share < 0.5 else LOOK,
            f"different values become the same in float32: {shown}",
            f"frame[{first.name!r}] - frame[{first.name!r}].min()",
            columns=tuple(one.name for _, one, _ in found),
        )
    ]


def header(names: Sequence[str]) -> list[Finding]:
    """Return whether the names of columns look like a row of data."""
    numbers = [
        name for name in names if re.fullmatch(r"[-+]?\d+([.,]\d+)?(e[-+]?\d+)?(\.\d)?", name)
    ]
    counted = (
        all(name.isdigit() for name in numbers)
        and (np.diff([int(name) for name in numbers]) == 1).all()
    )
    if len(numbers) < max(2, len(names) / 2) or counted:
        return []
    return [
        Finding(
            "header",
            SEVERE,
            f"the header looks like a row of data: {some(map(repr, numbers))}",
            "header=none, where the file has no header",
        )
    ]
