"""Columns that are no features, or not what they seem: pure functions of their profiles."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from hcat_nb.checks.alone import above_chance
from hcat_nb.checks.finding import LOOK, NOTE, SEVERE, Finding, leave_out
from hcat_nb.checks.profile import Profile
from hcat_nb.data.reading.odd_levels import far_numbers
from hcat_nb.data.reading.spellings import spellings
from hcat_nb.errors import some

_NAMED = re.compile(
    r"(^|[\W_])(id|nr|nbr|idx|index|row|rownum|uuid|guid)\W*$|^no\W*$|_no$|^\W*#\W*$"
    r"|^unnamed: ?\d+$|(user|customer|client|patient|subject|person|case|sample|record)id$",
    re.IGNORECASE,
)
_CASED = re.compile(r"(?<=[a-z])(Id|ID|No|Nr)$|(?<=[A-Z])(id|no|nr)$")
_FEW = 50  # distinct numbers that may be codes of categories
_CERTAIN = 10.0  # repetitions to expect of numbers drawn at random, from which none is proof
_ALMOST = 0.999  # share of the rows
_EMPTY = 0.95  # share of the rows from which a column is almost empty
_TELLS = 0.5  # of the way from chance to certainty
_SENTINEL = re.compile(r"-?9{2,}|-[19]")
_WORDS = {"", "?", "-", "--", ".", "na", "n/a", "nan", "null", "none", "unknown", "missing", "nil"}

_COUNTS, _RISES = "counting the rows", "rising from each row to the next"
_DISTINCT = "another value in each row, as identifiers have"
_CALLED, _CODES = "called like an identifier", "called like a number, and read as an amount"

# Kinds of a profile that a network does not see as what they are, and the mending.
_TYPES = {
    "numbers as text": ("numbers held as text", "pandas.to_numeric(frame[{0!r}])"),
    "decimal commas": ("numbers with a decimal comma", "decimal=','"),
    "dates as text": ("dates held as text", "numbers: pandas.to_datetime(frame[{0!r}]).dt.year"),
    "date": ("dates", "numbers made of them: frame[{0!r}].dt.year"),
}


def column_findings(columns: Sequence[Profile]) -> list[Finding]:
    """Return what single columns show, without a look at the labels."""
    rules = (_typed, _spoiled, _sentinels, _almost_empty, _missing_words, _spelled)
    return [finding for rule in rules for finding in rule(columns)]


def identifiers(
    columns: Sequence[Profile], scores: Mapping[str, float], n_classes: int
) -> list[Finding]:
    """Return the columns that number or name rows; severe where such a one tells the class."""
    found: dict[tuple[str, str], list[str]] = {}
    for one in columns:
        if what := _identity(one):
            tells = above_chance(scores.get(one.name, 0.0), n_classes) >= _TELLS
            severity = SEVERE if tells else NOTE if what == _CODES else LOOK
            found.setdefault((severity, what), []).append(one.name)
    findings = []
    for (severity, what), names in found.items():
        told = ", and the class lies in its order" if severity == SEVERE else ""
        remedy = leave_out(names)
        if what == _CALLED:
            remedy += f", and groups={names[0]!r} if rows share a value"
        if what == _CODES:
            remedy = f"drop={names[0]!r}, or categorical={names[0]!r}"
        kind = "codes" if what == _CODES else "identifier"
        text = f"{some(map(repr, names))}: {what}{told}"
        findings.append(Finding(kind, severity, text, remedy, columns=tuple(names)))
    return findings


def _identity(column: Profile) -> str:
    n, k = len(column.codes), len(column.levels)
    named = bool(_NAMED.search(column.name) or _CASED.search(column.name))
    if column.kind == "words":
        if k > _FEW and k >= 0.95 * n:
            return _DISTINCT
        return _CALLED if named and k > _FEW and 2 * k > n else ""
    if column.values is None or k < 2 or column.levels.dtype.kind == "b":
        return ""
    if k == n and n >= 8:
        steps = np.diff(column.values)
        if (steps == steps[0]).all():
            return _COUNTS
        if n >= 30 and ((steps > 0).all() or (steps < 0).all()):
            return _RISES
    if not column.whole:
        return ""
    span = float(column.levels.max()) - float(column.levels.min()) + 1
    if k == n and n * n / (2 * span) >= _CERTAIN:
        return _DISTINCT
    if not named or k == 2:
        return ""
    return _CALLED if k > _FEW or k == n else _CODES


def constants(columns: Sequence[Profile]) -> list[Finding]:
    """Return the columns that are empty, or the same in every row or in nearly every row."""
    empty = [one.name for one in columns if not len(one.levels)]
    same = {
        one.name: f"{one.name!r} is {one.levels.tolist()[0]!r}"
        for one in columns
        if len(one.levels) == 1 and not one.n_missing
    }
    almost = [
        f"{one.name!r} but for {len(one.codes) - one.counts.max():,}"
        for one in columns
        if len(one.levels) > 1 and one.counts.max() >= max(_ALMOST * len(one.codes), 100)
    ]
    findings = []
    for names, text in (
        (empty, f"empty throughout: {some(map(repr, empty))}"),
        (list(same), f"the same in every row: {some(same.values())}"),
    ):
        if names:
            remedy = leave_out(names)
            findings.append(Finding("constant", LOOK, text, remedy, columns=tuple(names)))
    if almost:
        findings.append(Finding("rare", NOTE, f"the same but for few rows: {some(almost)}"))
    return findings


def _typed(columns: Sequence[Profile]) -> list[Finding]:
    findings = []
    for kind, (what, remedy) in _TYPES.items():
        found = [one for one in columns if one.kind == kind and not (_is_code(one) or _bad(one))]
        if found:
            shown = some(f"{one.name!r}, as {str(one.levels[0])!r}" for one in found)
            text = f"{what}, which have no order when read as categories: {shown}"
            names = tuple(one.name for one in found)
            findings.append(Finding("type", LOOK, text, remedy.format(names[0]), columns=names))
    return findings


def _is_code(column: Profile) -> bool:
    """Whether numbers held as text begin with zeros, as postcodes do."""
    codes = (re.match(r"0\d", str(one).strip()) for one in column.levels)
    return column.kind == "numbers as text" and any(codes)


def _bad(column: Profile) -> list[str]:
    """Return the texts of a column of numbers that are none."""
    texts = column.kind == "numbers as text"
    return list(column.levels[np.isnan(column.numeric)]) if texts else []


def _spoiled(columns: Sequence[Profile]) -> list[Finding]:
    findings = []
    bad = {one: texts for one in columns if (texts := _bad(one))}
    words = (one for one in columns if one.kind == "words")
    far = {one: texts for one in words if (texts := far_numbers(one.levels))}
    for found, what in (
        (bad, "columns of numbers but for some cells"),
        (far, "texts whose number lies far from those of all others"),
    ):
        if found:
            names = tuple(one.name for one in found)
            first = next(iter(found.values()))[0]
            shown = some(_in_rows(one, texts) for one, texts in found.items())
            remedy = f"correct the cells; missing={first!r} if that stands for a missing value"
            remedy += f"; categorical={names[0]!r} if all are codes" if found is bad else ""
            findings.append(Finding("spoiled", LOOK, f"{what}: {shown}", remedy, columns=names))
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
            count = int(one.counts[one.levels == level].sum())
            if count > 1 and (apart or level < 0 <= rest[0]):
                found += [(one.name, f"{level:.0f}", count)]
    found = [one for one in found if _SENTINEL.fullmatch(one[1])]
    if not found:
        return []
    (name, level, _), names = found[0], tuple(name for name, _, _ in found)
    shown = some(f"{name!r} {level} in {count:,} rows" for name, level, count in found)
    text = f"numbers that may stand for a missing value: {shown}"
    remedy = f"frame[{name!r}].replace({level}, float('nan')), and impute='median'"
    return [Finding("missing", LOOK, text, remedy, columns=names)]


def missing_words(column: Profile) -> dict[str, int]:
    """Return the words of a column that elsewhere stand for a missing value, and their rows."""
    texts = column.values is None and column.is_text
    pairs = zip(column.levels, column.counts.tolist(), strict=True) if texts else ()
    return {one: count for one, count in pairs if one.strip().lower() in _WORDS}


def _almost_empty(columns: Sequence[Profile]) -> list[Finding]:
    n = {one: one.n_missing for one in columns if len(one.levels)}
    found = [one for one, count in n.items() if count >= _EMPTY * len(one.codes)]
    if not found:
        return []
    names = tuple(one.name for one in found)
    shown = some(f"{one.name!r} in {n[one]:,} of {len(one.codes):,} rows" for one in found)
    remedy = f"drop={names[0]!r}" if len(names) == 1 else f"drop={list(names)!r}"
    return [Finding("missing", LOOK, f"almost empty: {shown}", remedy, columns=names)]


def _missing_words(columns: Sequence[Profile]) -> list[Finding]:
    found = [(one.name, *pair) for one in columns for pair in missing_words(one).items()]
    if not found:
        return []
    shown = some(f"{name!r} {word!r} {count:,}" for name, word, count in found)
    text = f"words that may stand for a missing value, read as levels: {shown}"
    names = tuple(name for name, _, _ in found)
    return [Finding("missing", NOTE, text, f"missing={found[0][1].strip()!r}", columns=names)]


def _spelled(columns: Sequence[Profile]) -> list[Finding]:
    words = [one for one in columns if one.kind == "words" and len(one.levels) <= 2000]
    several = {one.name: groups for one in words if (groups := spellings(list(one.levels)))}
    spaced = tuple(one.name for one in words if any(text != text.strip() for text in one.levels))
    findings = []
    if several:
        name, groups = next(iter(several.items()))
        shown = some(f"{name!r} {some(map(repr, each[0]))}" for name, each in several.items())
        text = f"one level spelled several ways, read as several: {shown}"
        remedy = f"frame[{name!r}].replace({dict.fromkeys(groups[0][1:], groups[0][0])!r})"
        findings.append(Finding("spelling", LOOK, text, remedy, columns=tuple(several)))
    if spaced:
        text = f"values begin or end with a space: {some(map(repr, spaced))}"
        remedy = f"frame[{spaced[0]!r}].str.strip(), before tables are joined"
        findings.append(Finding("spelling", NOTE, text, remedy, columns=spaced))
    return findings


def collapsed(columns: Sequence[Profile], read: Mapping[str, np.ndarray]) -> list[Finding]:
    """Return the columns of which float32 does not tell the values apart."""
    left = {
        one: len(np.unique(read[one.name][one.codes >= 0]))
        for one in columns
        if one.values is not None and one.name in read
    }
    lost = {one: count for one, count in left.items() if count < 0.9 * len(one.levels)}
    if not lost:
        return []
    shown = some(f"{one.name!r} ({len(one.levels):,} become {n:,})" for one, n in lost.items())
    worst = min(count / len(one.levels) for one, count in lost.items())
    names = tuple(one.name for one in lost)
    text = f"different values become the same in float32: {shown}"
    remedy = f"frame[{names[0]!r}] - frame[{names[0]!r}].min()"
    return [Finding("collapse", SEVERE if worst < 0.5 else LOOK, text, remedy, columns=names)]


def header(names: Iterable[str]) -> list[Finding]:
    """Return whether the names of columns look like a row of data.

    >>> len(header(["5.1", "3.5", "setosa"])), header(["0", "1", "2"])
    (1, [])
    """
    names = list(names)
    numbers = [name for name in names if re.fullmatch(r"[-+]?\d+([.,]\d+)*(e[-+]?\d+)?", name)]
    whole = all(name.isdigit() for name in numbers)
    counted = whole and bool((np.diff([int(name) for name in numbers]) == 1).all())
    if counted or len(numbers) < max(2, len(names) / 2):
        return []
    text = f"the header looks like a row of data: {some(map(repr, numbers))}"
    return [Finding("header", SEVERE, text, "header=none, where the file has no header")]
