"""The kinds of value that a class can have, and why others are refused."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from hcat_nb.errors import DataError

Value = int | float | bool | str


def only_kind(values: np.ndarray) -> str:
    """Return the kind of all values: "bool", "number" or "text".

    ``values`` (n,) object: labels without the missing ones, or the values of classes.
    """
    kinds: dict[str, list[type]] = {}
    counts = Counter(map(type, values))
    for type_ in counts:
        kinds.setdefault(kind_of(type_), []).append(type_)
    if "other" in kinds:
        raise no_class(kinds["other"][0].__name__)
    if len(kinds) > 1:
        raise _mixture(values, kinds)
    return next(iter(kinds), "text")


def _mixture(values: np.ndarray, kinds: dict[str, list[type]]) -> DataError:
    words = {"bool": "True/False", "number": "numbers", "text": "text"}
    first, second = sorted(kinds)[:2]
    tally = {kind: Counter(v for v in values if type(v) in kinds[kind]) for kind in (first, second)}
    # one class written in two ways is the usual cause: show such a pair if there is one
    texts = {str(value): value for value in tally[second]}
    one = next((value for value in tally[first] if str(value) in texts), next(iter(tally[first])))
    two = texts.get(str(one), next(iter(tally[second])))
    return DataError(
        f"labels mix {words[first]} and {words[second]}: "
        f"{plain_value(one)!r} and {plain_value(two)!r} "
        f"(in {_rows(tally[first][one])} and {_rows(tally[second][two])}; of all labels, "
        f"{tally[first].total()} are {words[first]} and {tally[second].total()} are "
        f"{words[second]})",
        "one kind",
        "convert them: labels.astype(str) or labels.astype(int)",
    )


def kind_of(type_: type) -> str:
    """Return "bool", "number", "text" or "other"."""
    if issubclass(type_, (bool, np.bool_)):
        return "bool"
    if issubclass(type_, (int, float, np.integer, np.floating)):
        return "number"
    return "text" if issubclass(type_, str) else "other"


def plain_value(value: Any) -> Any:
    """Return a class value as a plain int, float, bool or str; enumerations included."""
    if isinstance(value, np.generic):
        return value.item()
    for type_ in (bool, int, float):
        if isinstance(value, type_):
            return type_(value)
    return str.__str__(value) if isinstance(value, str) else value


def no_class(type_name: str) -> DataError:
    """Return the error for labels of a type that cannot name a class."""
    return DataError(
        f"labels of the type {type_name} cannot be classes",
        "text, integers, booleans or whole floats",
        "turn them into text: labels.astype(str), or for categories "
        "labels.cat.rename_categories(str)",
    )


def _rows(count: int) -> str:
    return f"{count} row" if count == 1 else f"{count} rows"
