"""A call as text to copy: the line of a magic, or Python; both give the same run."""

from __future__ import annotations

import dataclasses
import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from hcat_nb.arguments import read_value
from hcat_nb.fields import USERS_OWN
from hcat_nb.spec import RunSpec

# Said even at their defaults: a cell to be repeated names its seed.
ALWAYS = ("p", "seed")


def changed_options(spec: RunSpec) -> dict[str, Any]:
    """Return the options of ``spec`` that a cell has to name, objects left out.

    Those that differ from the defaults, and ``ALWAYS``: of these ``p`` only
    where something is injected.
    """
    plain = RunSpec()
    always = [name for name in ALWAYS if name != "p" or spec.hardness is not None]
    return {
        item.name: value
        for item in dataclasses.fields(spec)
        if (value := getattr(spec, item.name)) not in (getattr(plain, item.name), USERS_OWN)
        or item.name in always
    }


def option_words(name: str, value: Any) -> list[str]:
    """Return one option as words of a line."""
    flag = f"--{name.replace('_', '-')}"
    if isinstance(value, bool):
        return [flag if value else f"--no-{flag[2:]}"]
    if name == "method_options":
        value = {
            f"{method}.{key}": one for method, more in value.items() for key, one in more.items()
        }
    if isinstance(value, Mapping):
        return [flag, *(f"{key}={_text(one)}" for key, one in value.items())]
    if isinstance(value, (tuple, list)):
        return [flag, *map(str, value)]
    return [flag, str(value)]


def magic_line(magic: str, words: Sequence[str]) -> str:
    """Return the line that gives a magic these words.

    IPython fills in what stands in braces before a magic sees the line, so they are doubled; a
    dollar sign is safe in the quotes that it gets.

    >>> magic_line("run = %hcat_train", ["my data.csv", "--target", "a{b}"])
    "run = %hcat_train 'my data.csv' --target 'a{{b}}'"
    """
    line = " ".join([magic, *map(shlex.quote, words)])
    return line.replace("{", "{{").replace("}", "}}")


def python_code(spec: RunSpec, objects: Mapping[str, str], own: Mapping[str, Any]) -> str:
    """Return the call of ``characterize`` as Python.

    ``objects`` are expressions for the arguments that are variables (``data``, ``labels``,
    ``name``, ``model``), ``own`` are ``out`` and ``overwrite``, where given.
    """
    options = changed_options(spec)
    dataset = options.pop("dataset", spec.dataset)
    lines = [objects.get("data", repr(dataset))]
    lines += [f"{key}={value}" for key, value in objects.items() if key != "data"]
    lines += [f"{key}={value!r}" for key, value in {**options, **own}.items()]
    inside = "".join(f"    {line},\n" for line in lines)
    return f"import hcat_nb as hcat\n\nrun = hcat.characterize(\n{inside})"


def _text(value: Any) -> str:
    """Return a value as ``key=value`` reads it: bare text where that is enough, else JSON."""
    if isinstance(value, str) and read_value(value) == value:
        return value
    return json.dumps(value)
