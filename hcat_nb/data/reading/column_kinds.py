"""Whether a column of a frame holds numbers or categories, and what its values are."""

from __future__ import annotations

import numbers
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from hcat_nb.data.files.number_texts import number_text
from hcat_nb.errors import DataError, some

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.data.table_options import TableOptions

_NUMERIC_TEXT = 0.9  # share of texts that are numbers from which the others are suspect
_MANY = 50  # levels from which a column is looked at
_LISTED = 3


@dataclass(frozen=True, eq=False)
class Number:
    """A column of numbers.

    Parameters
    ----------
    content : Series
        Of a numeric type; NaN or NA where missing.
    note : str
        How it was read, where that is not plain.
    """

    content: pd.Series
    note: str = ""


@dataclass(frozen=True, eq=False)
class Category:
    """A column of categories.

    Parameters
    ----------
    content : array of shape (n,), object
        NaN where missing.
    levels : list
        Distinct values that occur, in their order.
    n_missing : int
    """

    content: np.ndarray
    levels: list[Any]
    n_missing: int


def read_column(series: pd.Series, name: str, options: TableOptions) -> Number | Category:
    """Return a column's values, as numbers or as categories.

    Raises
    ------
    DataError
        If values are of several kinds, or of a kind that is neither, or if
        nearly each row has a category of its own.
    """
    import pandas as pd
    from pandas.api import types

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
    present = values[~missing]
    kind = _only_kind(present, name)
    declared = isinstance(dtype, pd.CategoricalDtype)
    if kind == "number" and not (chosen or declared):
        return Number(pd.Series(_as_float(values)), f"{name!r}: numbers held as objects")
    if kind == "text" and not (chosen or declared):
        number = _numeric_text(values, present, missing, name, options)
        if number is not None:
            return number
    levels = _levels(series, present, declared)
    if options.min_frequency is None and options.max_categories is None and not chosen:
        _refuse_identifiers(levels, len(present), name)
    return Category(values, levels, int(missing.sum()))


def _readable(dtype: Any) -> bool:
    import pandas as pd
    from pandas.api import types

    return (
        types.is_object_dtype(dtype)
        or types.is_string_dtype(dtype)
        or isinstance(dtype, pd.CategoricalDtype)
        or (types.is_numeric_dtype(dtype) and not types.is_complex_dtype(dtype))
    )


def _marked(values: np.ndarray, markers: tuple[str, ...]) -> np.ndarray:
    """Return which values are one of the texts that stand for a missing value: (n,) bool."""
    import pandas as pd

    known = {marker.strip() for marker in markers}
    if not known:
        return np.zeros(len(values), dtype=bool)
    texts = {one for one in pd.unique(pd.Series(values)) if isinstance(one, str)}
    marked = [one for one in texts if one.strip() in known]
    return pd.Series(values).isin(marked).to_numpy()


def _only_kind(present: np.ndarray, name: str) -> str:
    """Return "number" or "text", the kind of all values."""
    by_type = {one: _kind(one) for one in Counter(map(type, present))}
    kinds = dict.fromkeys(by_type.values())
    if not kinds:
        return "number"
    odd = [kind for kind in kinds if kind not in ("number", "text")]
    wanted = odd[:1] or (["number", "text"] if len(kinds) > 1 else [])
    found = {kind: [one for one in present if by_type[type(one)] == kind] for kind in wanted}
    if odd:
        raise DataError(
            f"column {name!r} holds {len(found[odd[0]])} values of the type {odd[0]}",
            "numbers, text or categories",
            f"make them numbers or text, or leave it out with drop={name!r}",
        )
    if len(kinds) > 1:
        text, number = found["text"], found["number"]
        raise DataError(
            f"column {name!r} mixes numbers and text: {number[0]!r} and the like in "
            f"{len(number)} rows, {text[0]!r} in {len(text)}",
            "one kind",
            f"missing={text[0]!r} if that stands for a missing value, else "
            f"frame.astype({{{name!r}: str}})",
        )
    return next(iter(kinds))


def _kind(type_: type) -> str:
    if issubclass(type_, str):
        return "text"
    number = issubclass(type_, (numbers.Real, np.bool_, Decimal))
    return "number" if number else type_.__name__


def _as_float(values: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        return values.astype(np.float64)


def _numeric_text(
    values: np.ndarray,
    present: np.ndarray,
    missing: np.ndarray,
    name: str,
    options: TableOptions,
) -> Number | None:
    """Return texts that are numbers as numbers where a missing value made them texts."""
    import pandas as pd

    codes, distinct = pd.factorize(present)
    numeric_levels = pd.to_numeric(pd.Series(distinct, dtype=object), errors="coerce")
    parsed = numeric_levels.to_numpy(float)[codes]
    odd = np.isnan(parsed)
    other = number_text(pd.Series(values), name, options, plain=False)
    if other is not None and pd.api.types.is_numeric_dtype(other.content.dtype):
        return Number(other.content, f"{name!r}: {'; '.join(other.notes)}")
    if not odd.any() and options.missing and missing.any():
        numeric = np.full(len(values), np.nan)
        numeric[~missing] = parsed
        return Number(pd.Series(numeric), f"{name!r}: texts read as numbers")
    if odd.any() and odd.mean() < 1 - _NUMERIC_TEXT:
        strange = list(dict.fromkeys(present[odd]))
        raise DataError(
            f"column {name!r} is text, but {len(present) - odd.sum():,} of {len(present):,} values "
            f"are numbers; {odd.sum():,} are not: {some(map(repr, strange), _LISTED)}",
            "numbers, or categories",
            f"missing={strange[0]!r} if that stands for a missing value, categorical={name!r} if "
            "they are codes",
        )
    return None


def _levels(series: pd.Series, present: np.ndarray, declared: bool) -> list[Any]:
    import pandas as pd

    distinct = pd.unique(pd.Series(present, dtype=object))
    if declared:
        occurring = set(distinct)
        return [level for level in series.cat.categories if level in occurring]
    plain = [one.item() if isinstance(one, np.generic) else one for one in distinct]
    return sorted(plain)


def _refuse_identifiers(levels: list[Any], n: int, name: str) -> None:
    if len(levels) > _MANY and 2 * len(levels) > n:
        raise DataError(
            f"column {name!r} has {len(levels):,} different values in {n:,} rows, such as "
            f"{levels[0]!r}",
            "categories that rows share",
            f"text={name!r} if they are texts, drop={name!r} if they name rows, or max_categories=",
        )
