"""Whether a column of a frame holds numbers or categories, and what its values are."""

from __future__ import annotations

import numbers
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api import types

from hcat_nb.data.files.number_texts import number_text
from hcat_nb.errors import DataError, some

if TYPE_CHECKING:
    from hcat_nb.data.table_options import TableOptions

_NUMERIC_TEXT = 0.9  # share of texts that are numbers from which the others are suspect
_MANY = 50  # levels from which a column is looked at
_LISTED = 3


@dataclass(frozen=True, eq=False)
class Number:
    """A column of numbers, NaN or NA where missing, and how it was read if that is not plain."""

    content: pd.Series
    note: str = ""


@dataclass(frozen=True, eq=False)
class Category:
    """A column of categories: each value's place (n,) among the levels, -1 where missing."""

    codes: np.ndarray
    levels: list[Any]

    @property
    def n_missing(self) -> int:
        """Missing cells."""
        return int((self.codes < 0).sum())


def read_column(series: pd.Series, name: str, options: TableOptions) -> Number | Category:
    """Return a column's values, as numbers or as categories."""
    dtype = series.dtype
    chosen = name in options.categorical
    if types.is_numeric_dtype(dtype) and not types.is_complex_dtype(dtype) and not chosen:
        return Number(series)
    if not _readable(dtype):
        raise DataError(
            f"column {name!r} holds values of the type {dtype}",
            "numbers, text or categories",
            f"make it a number, or leave it out with drop={name!r}",
        )
    values = series.to_numpy(dtype=object, na_value=np.nan)
    values = values.copy()  # the frame is the user's
    missing = pd.isna(values) | _marked(values, options.missing_in(name))
    values[missing] = np.nan
    codes, distinct = _factorized(values, missing)
    counts = np.bincount(codes[codes >= 0], minlength=len(distinct))
    kind = _only_kind(distinct, counts, name)
    declared = isinstance(dtype, pd.CategoricalDtype)
    if kind == "number" and not (chosen or declared):
        try:
            with np.errstate(over="ignore"):
                content = pd.Series(values.astype(np.float64))
            return Number(content, f"{name!r}: numbers held as objects")
        except OverflowError as error:
            raise DataError(
                f"column {name!r} holds whole numbers that no float can hold",
                "numbers below 1.8e308",
                f"frame.astype({{{name!r}: str}}), or leave it out with drop={name!r}",
            ) from error
    if kind == "text" and not (chosen or declared):
        number = _numeric_text(values, codes, distinct, name, options)
        if number is not None:
            return number
    order = _order(series, distinct, declared)
    levels = [distinct[place] for place in order]
    levels = [one.item() if isinstance(one, np.generic) else one for one in levels]
    if options.min_frequency is None and options.max_categories is None and not chosen:
        _refuse_identifiers(levels, int(counts.sum()), name)
    place = np.full(len(order) + 1, -1, dtype=np.int64)  # the last is code -1
    place[order] = np.arange(len(order))
    return Category(place[codes], levels)


def _factorized(values: np.ndarray, missing: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a code for each value, -1 where missing, and the values by code."""
    try:
        return pd.factorize(values)
    except TypeError:  # lists and dicts, which are refused with their number
        return np.where(missing, -1, np.arange(len(values))), values


def _readable(dtype: Any) -> bool:
    return (
        types.is_object_dtype(dtype)
        or types.is_string_dtype(dtype)
        or isinstance(dtype, pd.CategoricalDtype)
        or (types.is_numeric_dtype(dtype) and not types.is_complex_dtype(dtype))
    )


def _marked(values: np.ndarray, markers: tuple[str, ...]) -> np.ndarray:
    """Return which values are one of the texts that stand for a missing value: (n,) bool."""
    known = {marker.strip() for marker in markers}
    if not known:
        return np.zeros(len(values), dtype=bool)
    texts = {one for one in pd.unique(pd.Series(values)) if isinstance(one, str)}
    marked = [one for one in texts if one.strip() in known]
    return pd.Series(values).isin(marked).to_numpy()


def _only_kind(distinct: np.ndarray, counts: np.ndarray, name: str) -> str:
    """Return "number" or "text", the kind of all values."""
    first: dict[str, Any] = {}
    rows: dict[str, int] = {}
    for value, count in zip(distinct, counts.tolist(), strict=True):
        if count:
            kind = _kind(type(value))
            first.setdefault(kind, value)
            rows[kind] = rows.get(kind, 0) + count
    if not first:
        return "number"
    odd = [kind for kind in first if kind not in ("number", "text")]
    if odd:
        raise DataError(
            f"column {name!r} holds {rows[odd[0]]} values of the type {odd[0]}",
            "numbers, text or categories",
            f"make them numbers or text, or leave it out with drop={name!r}",
        )
    if len(first) > 1:
        raise DataError(
            f"column {name!r} mixes numbers and text: {first['number']!r} and the like in "
            f"{rows['number']} rows, {first['text']!r} in {rows['text']}",
            "one kind",
            f"missing={first['text']!r} if that stands for a missing value, else "
            f"frame.astype({{{name!r}: str}})",
        )
    return next(iter(first))


def _kind(type_: type) -> str:
    if issubclass(type_, str):
        return "text"
    number = issubclass(type_, (numbers.Real, np.bool_, Decimal))
    return "number" if number else type_.__name__


def _numeric_text(
    values: np.ndarray, codes: np.ndarray, distinct: np.ndarray, name: str, options: TableOptions
) -> Number | None:
    """Return texts that are numbers as numbers where a missing value made them texts."""
    missing = codes < 0
    numeric_levels = pd.to_numeric(pd.Series(distinct, dtype=object), errors="coerce")
    numeric = np.append(numeric_levels.to_numpy(float), np.nan)[codes]
    odd = np.isnan(numeric[~missing])
    other = number_text(pd.Series(values), name, options, plain=False)
    if other is not None and pd.api.types.is_numeric_dtype(other.content.dtype):
        return Number(other.content, f"{name!r}: {'; '.join(other.notes)}")
    if not odd.any() and options.missing and missing.any():
        return Number(pd.Series(numeric), f"{name!r}: texts read as numbers")
    if odd.any() and odd.mean() < 1 - _NUMERIC_TEXT:
        strange = distinct[numeric_levels.isna()].tolist()
        raise DataError(
            f"column {name!r} is text, but {len(odd) - odd.sum():,} of {len(odd):,} values "
            f"are numbers; {odd.sum():,} are not: {some(map(repr, strange), _LISTED)}",
            "numbers, or categories",
            f"missing={strange[0]!r} if that stands for a missing value, categorical={name!r} if "
            "they are codes",
        )
    return None


def _order(series: pd.Series, distinct: np.ndarray, declared: bool) -> list[int]:
    """Return the codes of the levels in the order of the categories, else of the values."""
    if declared:
        rank = {level: at for at, level in enumerate(series.cat.categories)}
        return sorted(range(len(distinct)), key=lambda code: rank[distinct[code]])
    return sorted(range(len(distinct)), key=distinct.__getitem__)


def _refuse_identifiers(levels: list[Any], n: int, name: str) -> None:
    if len(levels) > _MANY and 2 * len(levels) > n:
        raise DataError(
            f"column {name!r} has {len(levels):,} different values in {n:,} rows, such as "
            f"{levels[0]!r}",
            "categories that rows share",
            f"text={name!r} if they are texts, drop={name!r} if they name rows, or max_categories=",
        )
