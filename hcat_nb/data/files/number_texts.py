"""Texts that are numbers: missing words among them, decimal and thousands signs, units."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from pandas.api import types

from hcat_nb.errors import DataError, some

if TYPE_CHECKING:
    from hcat_nb.data.table_options import TableOptions

# Missing among numbers and dates; among other words a level, or a class, like any other.
_WORDS = {
    *("#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"),
    *("<NA>", "N/A", "NA", "NULL", "NaN", "NaT", "None", "n/a", "na", "nan", "none", "null", ""),
}
_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}([ T].*)?|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}([ T].*)?")
_TRUTH = {"true", "false"}
_UNIT = re.compile(
    r"([$£€¥]?)\s?([+-]?[\d.,'\u2019\u00a0\u202f ]*\d)\s?([^\W\d_%°]*[%°]?[^\d\s,;]*)"
)
_SPACES = " \u00a0\u202f"
# (decimal sign, thousands sign), the usual ones first
_STYLES = [(sign, group) for group in ("", ",.", _SPACES, "'\u2019") for sign in ".,"]
_MOSTLY = 0.9  # share of cells that are numbers from which the others are suspect
_LISTED = 3
_FIRST = 200  # texts that tell whether a column is worth a closer look
_UNITS = 12  # characters of a unit at most


class _Style(NamedTuple):
    decimal: str
    thousands: str  # any of these characters; "" for none

    def fits(self, text: str) -> bool:
        return _form(*self).fullmatch(text) is not None

    def number(self, text: str) -> float:
        return float(re.sub(f"[{self.thousands or _SPACES}]", "", text).replace(self.decimal, "."))

    def __str__(self) -> str:
        words = {"": "", _SPACES: "a space", "'\u2019": '"\'"'}
        grouped = words.get(self.thousands, repr(self.thousands))
        return f"decimal sign {self.decimal!r}" + (f", thousands sign {grouped}" if grouped else "")


@functools.cache
def _form(decimal: str, thousands: str) -> re.Pattern[str]:
    whole = rf"[1-9]\d{{0,2}}(?:[{thousands}]\d{{3}})+|\d+" if thousands else r"\d+"
    sign = re.escape(decimal)
    return re.compile(rf"[+-]?(?:(?:{whole})(?:{sign}\d*)?|{sign}\d+)(?:[eE][+-]?\d+)?")


@dataclass(frozen=True, eq=False)
class NumberText:
    """A column of texts as numbers, or as the same words without those that mean missing.

    ``missing``: words that were taken as missing, and how often; ``notes``: signs and unit that
    were found; ``sign``: the decimal sign, where the texts leave no doubt about it; else empty.
    """

    content: pd.Series
    missing: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    sign: str = ""


def number_text(
    column: pd.Series,
    name: str,
    options: TableOptions,
    likely: str | None = "",
    *,
    plain: bool = True,
    signs: bool = True,
) -> NumberText | None:
    """Return a column of texts as numbers, where they are numbers; None where they are words.

    ``column``: missing cells are None, NaN or NA; ``options``: its ``decimal`` and ``thousands``;
    ``likely``: the decimal sign of other columns, which decides what this one leaves open; None:
    leave it open; ``plain``: whether texts that are numbers as Python writes them become numbers:
    in a CSV all cells are texts, in a frame such texts are codes; ``signs``: whether other signs
    than Python's, and units, are taken for numbers: not in a target.
    """
    codes, levels = pd.factorize(column)
    counts = dict(zip(levels.tolist(), np.bincount(codes[codes >= 0]).tolist(), strict=True))
    if not all(isinstance(one, str) for one in counts):
        return None
    words = {one: n for one, n in counts.items() if one.strip() in _WORDS}
    rest = {one: one.strip() for one in counts if one not in words}
    if not rest:
        return None
    if all(_DATE.fullmatch(one) for one in rest.values()):
        return NumberText(column.where(~column.isin(list(words))), words) if words else None
    if {one.lower() for one in rest.values()} <= _TRUTH:
        found: dict[str, Any] = {one: text.lower() == "true" for one, text in rest.items()}
        return NumberText(_mapped(column, found, object), words) if words and plain else None
    first = list(rest.values())[:_FIRST]
    if sum(one[:1].isdigit() or one[-1:].isdigit() for one in first) < len(first) / 2:
        return None  # words: each text of a long column need not be looked at
    unit, bare = _without_unit(rest) if signs else ("", rest)
    styles = _styles(options) if signs else [_Style(".", "")]
    shares = [sum(counts[one] for one, text in bare.items() if s.fits(text)) for s in styles]
    n = sum(counts[one] for one in rest)
    fitting = [style for style, share in zip(styles, shares, strict=True) if share == n]
    if not fitting:
        if signs and likely is not None:
            _refuse_nearly(name, bare, styles, shares, n)
        return None
    values = {style: {one: style.number(text) for one, text in bare.items()} for style in fitting}
    readings: list[_Style] = []
    for style in fitting:
        if all(values[style] != values[other] for other in readings):
            readings.append(style)
    style = _chosen(name, next(iter(rest)), readings, values, options, likely)
    usual = style == _Style(".", "") and not unit
    if usual and not plain:
        return None
    notes = [str(style)] if style != _Style(".", "") else []
    notes += [f"unit {unit!r}, taken off"] if unit else []
    decimals = {one.decimal for one in readings}
    written = any(style.decimal in text for text in bare.values())
    sure = style.decimal if len(decimals) == 1 and written else ""
    return NumberText(_mapped(column, values[style], float), words, tuple(notes), sure)


def _styles(options: TableOptions) -> list[_Style]:
    found = [_Style(sign, group.replace(sign, "")) for sign, group in _STYLES]
    if options.decimal:
        found = [one for one in found if one.decimal == options.decimal]
    if options.thousands:
        found = [one for one in found if options.thousands in one.thousands or not one.thousands]
    return found


def _chosen(
    name: str,
    example: str,
    readings: Sequence[_Style],
    values: Mapping[_Style, Mapping[str, float]],
    options: TableOptions,
    likely: str | None,
) -> _Style:
    """Return the one style that holds, where texts like 1,500 fit several."""
    if len(readings) > 1 and options.thousands:
        readings = [one for one in readings if one.thousands] or readings
    if len(readings) > 1 and likely:
        readings = [one for one in readings if one.decimal == likely] or readings
        readings = [one for one in readings if one.thousands] or readings
    if len(readings) == 1 or likely is None:
        return readings[0]
    ways = " and ".join(f"{values[one][example]:g}" for one in readings)
    sign = next(one for one in ",." if one in example)
    raise DataError(
        f"column {name!r} holds {example!r} and the like, which can be read as {ways}",
        "one decimal sign",
        f"decimal={sign!r} or thousands={sign!r}; categorical={name!r} if they are codes",
    )


def _without_unit(rest: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Return the one unit of all texts, "" if there is none, and the texts without it."""
    parts = {one: _UNIT.fullmatch(text) for one, text in rest.items()}
    units = {(found[1], found[3]) for found in parts.values() if found}
    if len(units) != 1 or not all(parts.values()) or len(rest) < 3:
        return "", dict(rest)
    unit = "".join(units.pop())
    if not unit or len(unit) > _UNITS:
        return "", dict(rest)
    return unit, {one: found[2] for one, found in parts.items() if found}


def _refuse_nearly(
    name: str, bare: Mapping[str, str], styles: Sequence[_Style], shares: Sequence[int], n: int
) -> None:
    """Raise DataError where a few odd texts would turn numbers into words in silence."""
    most = max(shares)
    style = styles[shares.index(most)]
    if most < _MOSTLY * n or style == _Style(".", ""):  # that is told where columns are encoded
        return
    odd = [one for one, text in bare.items() if not style.fits(text)]
    listed = ", ".join(map(repr, odd[:_LISTED]))
    raise DataError(
        f"column {name!r} is text, but {most:,} of {n:,} values are numbers with the {style}; "
        f"others are not: {listed}",
        "numbers, or categories",
        f"missing={odd[0]!r} if that stands for a missing value, categorical={name!r} if they "
        "are codes",
    )


def _mapped(column: pd.Series, values: Mapping[str, Any], dtype: type) -> pd.Series:
    made = column.astype(object).map(values)
    if dtype is float:
        numbers = pd.to_numeric(made)
        whole = numbers.notna().all() and (numbers % 1 == 0).all() and numbers.abs().max() < 2**53
        return numbers.astype(np.int64) if whole else numbers
    return made


def without(column: pd.Series, words: Collection[str]) -> tuple[pd.Series, dict[str, int]]:
    """Return a column in which the cells that are one of ``words`` are missing, and their counts.

    Spaces around a word do not count; a number is the word that is its value.
    """
    known = {word.strip() for word in words}
    if not known:
        return column, {}
    if types.is_numeric_dtype(column.dtype) and not types.is_bool_dtype(column.dtype):
        marks: list[Any] = (
            pd.to_numeric(pd.Series(sorted(known)), errors="coerce").dropna().tolist()
        )
    else:
        levels = column.dropna().unique()
        marks = [one for one in levels if str(one).strip() in known]
    hit = column.isin(marks) & column.notna()
    if not hit.any():
        return column, {}
    counts = Counter(f"{one:g}" if isinstance(one, float) else str(one) for one in column[hit])
    return column.where(~hit), dict(counts)


def blanked(
    frame: pd.DataFrame, options: TableOptions
) -> tuple[pd.DataFrame, dict[str, dict[str, int]]]:
    """Return a frame without the words that stand for missing cells, and by column how many.

    Words of the options, and those among numbers; the frame given stays as it is.
    """
    found: dict[str, dict[str, int]] = {}
    frame = frame.copy(deep=False)
    for place, name in enumerate(map(str, frame.columns)):
        column, words = without(frame.iloc[:, place], options.missing_in(name))
        column, mixed = blank_mixed(column)
        if words or mixed:
            frame.isetitem(place, column.array)
            found[name] = {**words, **mixed}
    return frame, found


def blank_mixed(column: pd.Series) -> tuple[pd.Series, dict[str, int]]:
    """Return a column of numbers and missing words, as cells of a sheet, without these words."""
    if not types.is_object_dtype(column.dtype):
        return column, {}
    present = column.dropna()
    texts = [one for one in present if isinstance(one, str)]
    if len(texts) in (0, len(present)) or any(one.strip() not in _WORDS for one in texts):
        return column, {}
    is_text = column.map(lambda one: isinstance(one, str))
    return column.where(~is_text).infer_objects(), dict(Counter(texts))


def told_missing(missing: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Return a note on the words that were taken as missing, by column; none if there are none."""
    told = [
        f"{name} " + ", ".join(f"{word!r} {n:,}" for word, n in words.items())
        for name, words in missing.items()
        if words
    ]
    return [f"taken as missing: {some(told, 8, '; ')}"] if told else []
