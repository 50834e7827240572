"""A value in the type that an option declares, whether it came from Python, JSON or a shell."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from hcat_nb.errors import DataError, HcatError

# JSON has text keys only: a mapping with others is written as {PAIRS: [[key, value], ...]}.
PAIRS = "pairs"


def cast(value: Any, kind: str) -> Any:
    """Return ``value``, not None, as what an annotation names; any but ``_CASTS`` is a mapping.

    TypeError or ValueError if it is none: 2.5 as a whole number, "maybe" as true or false.

    >>> cast("no", "bool"), cast(3.0, "int"), cast("[aum, vog]", "tuple[str, ...]")
    (False, 3, ('aum', 'vog'))
    """
    as_kind: Callable[[Any], Any] = _CASTS.get(kind, _as_mapping)
    return as_kind(value)


def in_words(value: Any, words: Mapping[bool, str]) -> Any:
    """Return what a bool, or its text, stands for in ``words``; other values as they are.

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


def plain_values(value: Any) -> Any:
    """Return ``value`` as JSON can hold it; an object by its repr."""
    if isinstance(value, Mapping):
        items = [[plain_values(key), plain_values(one)] for key, one in value.items()]
        return dict(items) if all(isinstance(key, str) for key, _ in items) else {PAIRS: items}
    if isinstance(value, (list, tuple)):
        return [plain_values(one) for one in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "tolist"):  # NumPy's scalars, arrays, tensors, Series
        return plain_values(value.tolist())
    return repr(value)


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
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise TypeError
    return str(value)


def _as_names(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        value = value.strip("[]() ").replace(",", " ").split()
    return tuple(str(name).strip("'\" ") for name in value)


def _as_mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError
    return {str(key): _unpaired(one) for key, one in value.items()}


def _unpaired(value: Any) -> Any:
    """Return mappings as dicts, with the keys that they had before JSON."""
    if not isinstance(value, Mapping):
        return value
    items = value[PAIRS] if set(value) == {PAIRS} else value.items()
    return {key: _unpaired(one) for key, one in items}


_CASTS: dict[str, Callable[[Any], Any]] = {
    "int": _as_int,
    "float": _as_float,
    "bool": _as_bool,
    "str": _as_str,
    "tuple[str, ...]": _as_names,
}


def time_words(seconds: float) -> str:
    """Return a time as people say it.

    >>> time_words(42), time_words(1500), time_words(86400)
    ('42 s', '25 min', '24.0 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def is_path(given: str) -> bool:
    """Whether text can be the path of a file or folder on this system."""
    with suppress(DataError):
        return bool(given) and as_path(given) is not None
    return False


def as_path(given: Any, error: type[HcatError] = DataError) -> Path:
    """Return a path that a user gave, its ``~`` resolved; ``error`` if it can be none here."""
    try:
        if given == "":  # else the current folder
            raise ValueError("it is empty")
        path = Path(given).expanduser()
        with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
            os.stat(path)  # the system knows what no path can be
    except (OSError, ValueError, RuntimeError, TypeError) as wrong:
        shown = repr(given) if len(repr(given)) < 200 else f"{repr(given)[:200]}..."
        told = f"{shown} is no path here ({str(wrong)[:100]})"
        raise error(told, "the path of a file or folder") from wrong
    return path
