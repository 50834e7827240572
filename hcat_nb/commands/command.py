"""What a command is: words, what it calls, and the arguments of its two faces."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Literal

from hcat_nb.arguments import OptionParser, add_reading_options, add_spec_options

Face = Literal["line", "magic"]


@dataclass(frozen=True)
class Own:
    """An argument that is no field of RunSpec."""

    name: str  # "run": positional; "--out": an option
    help: str
    # What may stand there: "run" (a variable, or a folder), "data" or "model" (a variable),
    # the name of a kind in hcat_nb.api.listing, or "" for free text.
    values: str = ""
    choices: tuple[str, ...] = ()
    flag: bool = False  # stands without a value
    metavar: str = ""
    type: Callable[[str], Any] | None = None  # what reads its text
    settings: Mapping[str, Any] = field(default_factory=dict)  # further ones of argparse
    short: str = ""  # a second name, of one letter
    only: Face | None = None  # the face that has it; default: both
    line: Mapping[str, Any] = field(default_factory=dict)  # what differs on the command line

    @property
    def dest(self) -> str:
        """Where the parser puts it, apart from the fields of RunSpec."""
        return f"own_{self.key}"

    @property
    def key(self) -> str:
        """The name as a keyword."""
        return self.name.lstrip("-").replace("-", "_")

    @property
    def positional(self) -> bool:
        """Whether it stands without a name."""
        return not self.name.startswith("-")


SPOKEN = (
    Own("--json", "print one JSON document", flag=True, only="line"),
    Own("--quiet", "print nothing but what is wrong", flag=True, short="-q", only="line"),
)


@dataclass(frozen=True)
class Command:
    """One command."""

    about: str
    calls: str  # "module:function", imported when it is needed
    magic: str = ""  # its magic, without the percent sign
    line: str = ""  # its word behind `hcat`
    fields: tuple[str, ...] = ()  # the fields of RunSpec that are its options
    arguments: tuple[Own, ...] = ()
    reads: bool = False  # has the options of reading data, without a field of RunSpec
    cell: bool = False  # its magic may stand above a cell, which holds options as YAML
    document: str = ""  # what the cell holds instead, where it does not hold options
    epilog: str = ""  # what the command line's help says last

    @property
    def own(self) -> tuple[Own, ...]:
        """The further arguments of the magic."""
        return self.of("magic")

    def of(self, face: Face) -> tuple[Own, ...]:
        """Return the further arguments of one face."""
        return tuple(one for one in (*self.arguments, *SPOKEN) if one.only in (None, face))

    def function(self) -> Callable[..., Any]:
        """Return what it calls."""
        module, _, name = self.calls.partition(":")
        called: Callable[..., Any] = getattr(import_module(module), name)
        return called

    def parser(self) -> OptionParser:
        """Return the parser of a magic's line."""
        about = self.about
        if self.document:
            about += f" As %%{self.magic} the cell holds {self.document} as YAML."
        elif self.cell:
            about += f" As %%{self.magic} the cell holds the same options as YAML."
        parser = OptionParser(prog=f"%{self.magic}", add_help=False, description=about)
        self.fill(parser, "magic")
        parser.add_argument("-h", "--help", action="store_true", help="show this help")
        return parser

    def fill(self, parser: argparse.ArgumentParser, face: Face) -> None:
        """Add all arguments to the parser of one face."""
        own = self.of(face)
        for one in own:
            if one.positional:
                _add(parser, one, face)
        add_spec_options(parser, only=self.fields)
        if self.reads:
            add_reading_options(parser)
        for one in own:
            if not one.positional:
                _add(parser, one, face)


def _add(parser: argparse.ArgumentParser, one: Own, face: Face) -> None:
    text = one.help + (f": one of {', '.join(one.choices)}" if one.choices else "")
    settings: dict[str, Any] = {"default": None, "help": text}
    settings |= {"default": False, "action": "store_true"} if one.flag else {}
    settings |= {key: value for key in ("metavar", "type") if (value := getattr(one, key))}
    settings |= one.settings
    if face == "line":
        settings |= one.line
        if one.choices:
            settings |= {"choices": one.choices, "help": one.help}
    if one.positional:
        parser.add_argument(one.dest, **{"metavar": one.key, **settings})
        return
    flags = [*([one.short] if one.short else []), one.name]
    flags += [f"--{one.key}"] if "_" in one.key else []
    if "action" not in settings and "choices" not in settings:
        settings.setdefault("metavar", one.key.upper())
    parser.add_argument(*flags, dest=one.dest, **settings)
