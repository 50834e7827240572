"""How a field of RunSpec is declared and checked: its type, range, choices and help."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any

from hcat_nb.casts import cast, in_words
from hcat_nb.errors import SpecError, some
from hcat_nb.registry import APART, SOURCES, Registry, names_file, names_folder, nearest

USERS_OWN = "own"  # dataset or model handed over as an object, not by name


def option(
    default: Any,
    help: str,
    *,
    check: Callable[[Any], bool] | None = None,
    expected: str = "",
    choices: tuple[str, ...] = (),
    registry: Registry | None = None,
    extra: tuple[str, ...] = (),
    words: Mapping[bool, str] | None = None,
) -> Any:
    """Declare one option: what it means, and what it may be (``words``: what a bool stands for)."""
    metadata = {
        "help": help,
        "check": check,
        "expected": expected,
        "choices": choices,
        "registry": registry,
        "extra": extra,
        "words": words or {},
    }
    if isinstance(default, Mapping):
        return field(default_factory=lambda: dict(default), metadata=metadata)
    return field(default=default, metadata=metadata)


def field_choices(item: dataclasses.Field[Any]) -> list[str]:
    """Return the values that the option ``item`` can take, empty if there is no list of them."""
    registry = item.metadata["registry"]
    names = registry.known() if registry is not None else list(item.metadata["choices"])
    return names + [word for word in item.metadata["extra"] if word != USERS_OWN]


def resolve(item: dataclasses.Field[Any], value: Any) -> Any:
    """Return the full names that a value of a field with a registry stands for."""
    registry: Registry = item.metadata["registry"]
    extra = item.metadata["extra"]
    if item.name == "methods":
        if not value:
            raise SpecError("no methods are given", 'names of methods, or "all"')
        names: list[str] = []
        for name in value:
            for key in (name,) if name in extra else registry.resolve(name):
                if key not in names:
                    names.append(key)
        return tuple(one for one in names if "all" not in names or one in ("all", *APART))
    if value == "none":
        return None
    if value in extra or (registry is SOURCES and (names_file(value) or names_folder(value))):
        return value
    resolved = registry.resolve(value)
    return resolved[0]


def coerce(item: dataclasses.Field[Any], value: Any) -> Any:
    """Return ``value`` in the field's own type; NumPy scalars and text from a shell included."""
    kind = str(item.type).replace(" | None", "")
    if value is None:
        if "None" in str(item.type):
            return None
        raise _wrong(item, value)
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        value = value.item()  # NumPy's scalars
    try:
        return cast(in_words(value, item.metadata["words"]), kind)
    except (TypeError, ValueError):
        raise _wrong(item, value) from None


def check_value(item: dataclasses.Field[Any], value: Any) -> None:
    """Refuse a value, of the field's type, that lies outside its range."""
    if value is None:
        return
    choices = item.metadata["choices"]
    if choices and value not in choices:
        raise SpecError(f"{item.name} is {value!r}", nearest(value, choices))
    check = item.metadata["check"]
    if check is not None and not check(value):
        raise _wrong(item, value)


def _wrong(item: dataclasses.Field[Any], value: Any) -> SpecError:
    kinds = {"int": "a whole number", "float": "a finite number", "bool": "true or false"}
    kinds |= {"str": "text", "tuple[str, ...]": "names"}
    kind = str(item.type).replace(" | None", "")
    known = field_choices(item) if kind == "str" else []
    expected = item.metadata["expected"] or ("one of " + some(known, 20) if known else "")
    expected = expected or kinds.get(kind, "a mapping of options to values")
    if kind == "int" and not isinstance(value, int) and "integer" not in expected:
        expected = f"{kinds[kind]}, {expected}"
    return SpecError(f"{item.name} is {value!r}", expected)
