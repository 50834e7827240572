"""Labels of any kind as class codes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hcat_nb.data.class_order import are_numbers, ranks
from hcat_nb.data.dataset import NO_LABEL
from hcat_nb.data.reading.label_column import OneHot, label_column
from hcat_nb.data.reading.label_kinds import Value, kind_of, no_class, only_kind, plain_value
from hcat_nb.errors import DataError, some

_LISTED = 10
# What str() makes of a missing value: missing among numbers that are written as text, a class
# among other words, as "None" is in many tables ("None", "Mild", "Severe").
MISSING_TEXT = ("nan", "<NA>", "NaT")
# More distinct numbers than this, most of them alone, are measurements or row ids.
_MANY = 20


@dataclass(frozen=True, eq=False)
class Coded:
    """Codes (n,) int64, ``NO_LABEL`` where missing, and the user's own value of each class."""

    codes: np.ndarray
    class_values: tuple[Value, ...]
    notes: tuple[str, ...] = ()


def code_labels(labels: Any, classes: Sequence[Any] | None = None) -> Coded:
    """Return class codes for labels; the rules are those of :func:`hcat_nb.data.loading.load`.

    ``classes``: all classes in the order wanted, those without a row included.

    >>> coded = code_labels([30, 10, None, 20])
    >>> coded.codes.tolist(), coded.class_values
    ([2, 0, -1, 1], (10, 20, 30))
    """
    column = label_column(labels)
    if isinstance(column, OneHot):
        coded = _with_values(column.codes, column.names, "one-hot columns")
    elif isinstance(column, pd.Categorical):
        coded = _code_categorical(column, tell_unused=classes is None)
    elif column.dtype.kind in "biuf":
        coded = _code_numbers(column)
    elif column.dtype.kind == "O":
        coded = _code_objects(column)
    else:
        raise no_class(str(column.dtype))
    if classes is not None:
        return _recode(coded, classes)
    _refuse_measurements(coded)
    return coded


def _code_numbers(column: np.ndarray) -> Coded:
    missing = np.isnan(column) if column.dtype.kind == "f" else np.zeros(len(column), dtype=bool)
    values, inverse = np.unique(column[~missing], return_inverse=True)
    codes = np.full(len(column), NO_LABEL, dtype=np.int64)
    codes[~missing] = inverse
    return Coded(codes, tuple(values.tolist()))


def _code_objects(column: np.ndarray) -> Coded:
    as_text = pd.Series(column, dtype=object).isin(_absent(column)).to_numpy()
    missing = pd.isna(column) | as_text
    present = column[~missing]
    kind = only_kind(present)
    inverse, values = pd.factorize(present)
    plain = [plain_value(value) for value in values]
    if kind == "number" and any(isinstance(value, float) for value in plain):
        plain = [float(value) for value in plain]
    order = sorted(range(len(plain)), key=ranks(plain).__getitem__)
    rank = np.empty(len(plain), dtype=np.int64)
    rank[order] = np.arange(len(plain))
    codes = np.full(len(column), NO_LABEL, dtype=np.int64)
    codes[~missing] = rank[inverse]
    return Coded(codes, tuple(plain[i] for i in order), _text_notes(as_text.sum(), plain))


def _absent(values: Iterable[Any]) -> list[str]:
    """Return the texts that stand for a missing value, since all others are numbers or truths."""
    texts = {value for value in values if isinstance(value, str)}
    found = texts.intersection(MISSING_TEXT)
    others = [one for one in texts - found if one.strip().lower() not in ("true", "false")]
    return sorted(found) if len(texts) > len(found) and are_numbers(others) else []


def _code_categorical(column: pd.Categorical, tell_unused: bool) -> Coded:
    values = column.categories.to_numpy(dtype=object)
    ranked = ranks(values.tolist())
    numbers = isinstance(next(iter(ranked), None), tuple)
    if numbers and not column.ordered and values.tolist() == sorted(values):  # pandas' own order
        column = column.reorder_categories([text for _, text in sorted(ranked)])
        values = column.categories.to_numpy(dtype=object)
    codes = column.codes.astype(np.int64)
    absent = _absent(values)
    missing = [i for i, value in enumerate(values) if value in absent]
    as_text = np.isin(codes, missing)
    codes[as_text] = NO_LABEL
    used = np.bincount(codes[codes != NO_LABEL], minlength=len(values)) > 0
    only_kind(values[used])
    rank = np.full(len(values) + 1, NO_LABEL, dtype=np.int64)  # the last is code -1
    rank[:-1][used] = np.arange(used.sum())
    plain = tuple(plain_value(value) for value in values[used])
    notes = _text_notes(as_text.sum(), plain)
    unused = [str(values[i]) for i in np.flatnonzero(~used) if i not in missing]
    if unused and tell_unused:
        left = f"{some(map(repr, unused), _LISTED)} left out: no row has it"
        kind = "categories" if len(unused) > 1 else "category"
        notes = (*notes, f"unused {kind} {left} (classes= keeps such classes)")
    return Coded(rank[codes], plain, notes)


def _with_values(codes: np.ndarray, values: Sequence[Any], origin: str) -> Coded:
    only_kind(np.array(values, dtype=object))
    plain = tuple(plain_value(value) for value in values)
    return Coded(codes, plain, (f"labels read from {len(plain)} {origin}",))


def _recode(coded: Coded, classes: Sequence[Any]) -> Coded:
    if isinstance(classes, (str, bytes)) or not hasattr(classes, "__iter__"):
        raise DataError(f"classes is {classes!r}", "a sequence of class values")
    values = [plain_value(value) for value in classes]
    only_kind(np.array(values, dtype=object))
    place = {_key(value): code for code, value in enumerate(values)}
    if len(place) < len(values):
        raise DataError("classes names a value twice", "each class once")
    used = np.unique(coded.codes[coded.codes != NO_LABEL])
    stray = [coded.class_values[i] for i in used if _key(coded.class_values[i]) not in place]
    if stray:
        rows = int(np.isin(coded.codes, [coded.class_values.index(value) for value in stray]).sum())
        raise DataError(
            f"{rows} labels are not among the classes: {some(map(repr, stray), _LISTED)}",
            f"one of {some(map(repr, values), _LISTED)}",
        )
    rank = np.full(len(coded.class_values) + 1, NO_LABEL, dtype=np.int64)  # the last is code -1
    for code in used:
        rank[code] = place[_key(coded.class_values[code])]
    return Coded(rank[coded.codes], tuple(values), coded.notes)


def _refuse_measurements(coded: Coded) -> None:
    values = [value for value in coded.class_values if isinstance(value, (int, float))]
    n, k = int((coded.codes != NO_LABEL).sum()), len(values)
    odd = [value for value in values if isinstance(value, float) and not value.is_integer()]
    if odd:
        wrong = f"the labels hold numbers that are not whole ({some(map(repr, odd), 3)})"
    elif k > _MANY and 2 * k > n:
        wrong = f"the labels hold {k} different numbers in {n} rows, such as {values[0]!r}"
    else:
        return
    raise DataError(
        f"{wrong}: this looks like a regression target",
        "classes",
        "bin it, as with pandas.cut(y, 3, labels=False), or, if each value is a class, "
        "turn it into text",
    )


def _key(value: Value) -> tuple[str, Value]:
    return kind_of(type(value)), value


def _text_notes(n_missing: int, values: Sequence[Any]) -> tuple[str, ...]:
    notes = []
    if n_missing:
        notes.append(f"{n_missing} labels are the text of a missing value and count as missing")
    for word in ("None", *MISSING_TEXT):
        if word in values:
            notes.append(f"the text {word!r} is a class; a missing label (None, NaN) is not")
    return tuple(notes)
