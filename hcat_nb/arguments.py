"""Command-line options made from the fields of RunSpec.

One parser serves ``hcat run`` and ``%hcat_train``, so that both know the
same options by the same names, and a new field appears in both by itself.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
from collections.abc import Collection, Sequence
from typing import Any, NoReturn

from hcat_nb.errors import SpecError, UnknownNameError
from hcat_nb.registry import nearest
from hcat_nb.spec import OPTION_ALIASES, RunSpec, field_choices

__all__ = [
    "OptionParser",
    "add_spec_options",
    "read_pair",
    "read_value",
    "refuse_several",
    "spec_options",
]


class OptionParser(argparse.ArgumentParser):
    """An argument parser whose mistakes are HcatErrors, not exits; it takes no abbreviations."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{"allow_abbrev": False, **settings})

    def parse(self, words: Sequence[str]) -> argparse.Namespace:
        """Parse ``words``; a sub-command's parser names itself by ``set_defaults(parser=...)``.

        Raises
        ------
        UnknownNameError
            If an option does not exist; names the nearest.
        SpecError
            If a value is missing or malformed.
        """
        namespace, unknown = self.parse_known_args(words)
        if unknown:
            known = [
                option
                for action in getattr(namespace, "parser", self)._actions
                for option in action.option_strings
                if option.startswith("--")
            ]
            if unknown[0].startswith("-"):
                raise UnknownNameError(
                    f"unknown option {unknown[0]!r}", nearest(unknown[0].split("=")[0], known)
                )
            raise SpecError(f"{unknown[0]!r} is one word too many", "options as --name value")
        return namespace

    def error(self, message: str) -> NoReturn:
        """Raise SpecError in place of leaving the process."""
        raise SpecError(message, remedy="ask for help with -h")


def add_spec_options(parser: argparse.ArgumentParser, only: Collection[str] | None = None) -> None:
    """Add one option for each field of RunSpec; ``dataset`` becomes the positional argument.

    Options that are not given do not appear in the namespace.  ``only`` names
    the fields that are wanted, None for all.
    """
    for item in dataclasses.fields(RunSpec):
        if only is not None and item.name not in only:
            continue
        help_text = _help(item)
        if item.name == "dataset":
            parser.add_argument("dataset", nargs="?", default=argparse.SUPPRESS, help=help_text)
            continue
        flags = [f"--{item.name.replace('_', '-')}"]
        flags += [f"--{item.name}"] if "_" in item.name else []
        flags += [
            f"--{form}"
            for alias, name in OPTION_ALIASES.items()
            if name == item.name
            for form in sorted({alias, alias.replace("_", "-")})
        ]
        kind = str(item.type)
        settings: dict[str, Any] = {
            "dest": item.name,
            "default": argparse.SUPPRESS,
            "help": help_text,
        }
        if kind == "bool":
            settings["action"] = argparse.BooleanOptionalAction
        elif kind.startswith("Mapping"):
            settings |= {"nargs": "+", "metavar": "KEY=VALUE"}
        elif kind.startswith("tuple"):
            settings |= {"nargs": "+", "metavar": "NAME"}
        else:
            settings["metavar"] = kind.split(" ")[0].upper()
        parser.add_argument(*flags, **settings)


def spec_options(namespace: argparse.Namespace) -> dict[str, Any]:
    """Return the options that were given, as keywords of ``RunSpec.from_options``.

    Raises
    ------
    SpecError
        If a ``key=value`` pair is malformed.
    """
    options: dict[str, Any] = {}
    for item in dataclasses.fields(RunSpec):
        if not hasattr(namespace, item.name):
            continue
        value = getattr(namespace, item.name)
        if item.name == "method_options":
            value = _nested(value)
        elif str(item.type).startswith("Mapping"):
            value = dict(read_pair(text) for text in value)
        elif item.name == "methods":
            value = ",".join(value)
        elif item.name == "hardness":
            refuse_several(value)
        options[item.name] = value
    return options


def refuse_several(hardness: Any) -> None:
    """Say how a mixture is written, to those who write several kinds as one word.

    Raises
    ------
    SpecError
        If ``hardness`` is text that names several kinds.
    """
    kinds = re.split(r"[\s,+]+", hardness.strip()) if isinstance(hardness, str) else []
    if len(kinds) > 1:
        kinds = [kind for kind in kinds if kind]
        shares = " ".join(f"{kind}=0.05" for kind in kinds) + f" --p {0.05 * len(kinds):g}"
        raise SpecError(
            f"hardness is {hardness!r}",
            "one kind, or a mixture with the proportion of each",
            f"--hardness mixture --hardness-options {shares}",
        )


def _help(item: dataclasses.Field[Any]) -> str:
    text = str(item.metadata["help"])
    if item.metadata["expected"]:
        text += f" ({item.metadata['expected']})"
    choices = field_choices(item)
    if choices:
        text += ": " + ", ".join(choices)
    if item.default not in (None, dataclasses.MISSING):
        shown = " ".join(item.default) if isinstance(item.default, tuple) else item.default
        text += f" [{shown}]"
    return text.replace("%", "%%")


def read_pair(text: str) -> tuple[str, Any]:
    """Read ``key=value``.

    Raises
    ------
    SpecError
        If it is none.
    """
    key, equals, value = text.partition("=")
    if not (equals and key):
        raise SpecError(f"{text!r} is no option", "key=value")
    return key, read_value(value)


def read_value(text: str) -> Any:
    """Return JSON as what it stands for; text needs no quotes, nor do the parts of a list."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        if text.startswith("[") and text.endswith("]"):  # a shell ate the quotes
            return [read_value(part.strip()) for part in text[1:-1].split(",")]
        return text


def _nested(texts: Sequence[str]) -> dict[str, dict[str, Any]]:
    nested: dict[str, dict[str, Any]] = {}
    for text in texts:
        key, value = read_pair(text)
        method, dot, option = key.partition(".")
        if not (dot and option):
            raise SpecError(f"{text!r} is no method option", "method.key=value")
        nested.setdefault(method, {})[option] = value
    return nested
