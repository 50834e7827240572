"""A value in the type that an option declares, whether it came from Python, JSON or a shell."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["cast", "in_words"]


def cast(value: Any, kind: str) -> Any:
    """Return ``value`` as what ``kind`` names.

    Parameters
    ----------
    value : object
        Not None.
    kind : str
        An annotation: ``int``, ``float``, ``bool``, ``str``, ``tuple[str,
        ...]``; any other is a mapping.

    Raises
    ------
    TypeError, ValueError
        If it is none: 2.5 as a whole number, "maybe" as true or false.

    Examples
    --------
    >>> cast("no", "bool"), cast(3.0, "int"), cast("[aum, vog]", "tuple[str, ...]")
    (False, 3, ('aum', 'vog'))
    """
    as_kind: Callable[[Any], Any] = _CASTS.get(kind, _as_mapping)
    return as_kind(value)


def in_words(value: Any, words: Mapping[bool, str]) -> Any:
    """Return what a bool, or its text, stands for in ``words``; other values as they are.

    Examples
    --------
    >>> words = {False: "none", True: "probs"}
    >>> in_words("true", words), in_words("logits", words), in_words(True, {})
    ('probs', 'logits', True)
    """
    if not words:
        return value
    try:
        return words[_as_bool(value)]
    except TypeError:
        return value


def _as_int(value: Any) -> int:
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise TypeError
    return int(value)


def _as_float(value: Any) -> float:
    if isinstance(value, bool) or not math.isfinite(number := float(value)):
        raise TypeError
    return number


def _as_bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if (word := str(value).lower()) not in words:
        raise TypeError
    return words[word]


def _as_str(value: Any) -> str:
    if isinstance(value, (bool, float, Mapping, list, tuple)):
        raise TypeError
    return str(value)


def _as_names(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        value = value.strip("[]() ").replace(",", " ").split()
    return tuple(str(name).strip("'\" ") for name in value)


def _as_mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError
    return {str(key): dict(v) if isinstance(v, Mapping) else v for key, v in value.items()}


_CASTS: dict[str, Callable[[Any], Any]] = {
    "int": _as_int,
    "float": _as_float,
    "bool": _as_bool,
    "str": _as_str,
    "tuple[str, ...]": _as_names,
}
