"""Command-line options made from the fields of RunSpec.

One parser serves ``hcat run`` and ``%hcat_train``, so that both know the
same options by the same names, and a new field appears in both by itself.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import re
import shlex
from collections.abc import Collection, Sequence
from typing import Any, NoReturn

from hcat_nb.errors import HcatError, SpecError, UnknownNameError
from hcat_nb.fields import field_choices
from hcat_nb.reading import READING, SEVERAL, with_reading
from hcat_nb.registry import nearest
from hcat_nb.spec import OPTION_ALIASES, RunSpec

_MOST_VALUES = 1_000_000  # of YAML
# Fields of RunSpec that say how data are read.
READING_FIELDS = (
    *("dataset", "dataset_options", "target", "truth", "groups", "weights", "root", "download"),
    "subset",
    *("on_missing_label", "on_bad_row", "join_spellings", "exclude", "data_on"),
    *("seed", "data_seed"),
)
# Data and model are handed over as objects where a remedy names them.
_IN_LINE = {item.name for item in dataclasses.fields(RunSpec)} - {"dataset", "model"} | set(READING)
# A field of RunSpec, and the part of the help that begins with it.
_PARTS = {"dataset": "data", "hardness": "hardness to inject", "model": "model"}
_PARTS |= {"methods": "methods", "epochs": "training", "folds": "what is kept and checked"}
# What one needs first: all that `-h` shows where there are many options.
_FIRST = {
    *("help", "help_all", "dataset", "target", "features", "hardness", "p", "model", "methods"),
    *("epochs", "seed", "own_out", "own_budget", "own_report", "own_test", "own_fix"),
    *("own_target", "own_mislabeled"),
}
_MANY = 20
# Not behind a bracket, where it belongs to a call in Python.
_KEYWORD = re.compile(r"""(?<![\w.(])(?P<name>\w+)=(?P<value>"[^"]*"|'[^']*'|[\w.]*)""")


class OptionParser(argparse.ArgumentParser):
    """An argument parser whose mistakes are HcatErrors, not exits; it takes no abbreviations."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{"allow_abbrev": False, **settings})

    def format_help(self, *, whole: bool = False) -> str:
        """Return the help: of many options those needed first, unless ``whole`` asks for all."""
        if whole or "--help-all" not in self._option_string_actions:
            return super().format_help()
        further = [one for one in self._actions if one.option_strings and one.dest not in _FIRST]
        hidden = [(one, one.help) for one in further]
        for action, _ in hidden:
            action.help = argparse.SUPPRESS
        try:
            return f"{super().format_help()}\n{len(hidden)} further options: --help-all\n"
        finally:
            for action, text in hidden:
                action.help = text

    def offer_all(self) -> None:
        """Add ``--help-all`` where there are many options."""
        if len(self._actions) > _MANY:
            self.add_argument("--help-all", action=_HelpAll, nargs=0, help="show all options")

    def parse(self, words: Sequence[str]) -> argparse.Namespace:
        """Parse ``words``; a sub-command's parser names itself by ``set_defaults(parser=...)``."""
        namespace, unknown = self.parse_known_args(words)
        if unknown:
            if unknown[0].startswith("-"):
                spellings = [
                    [option for option in action.option_strings if option.startswith("--")]
                    for action in getattr(namespace, "parser", self)._actions
                ]
                # Each option once, as it is meant to be written; a slip may be near another form.
                listed = [forms[0] for forms in spellings if forms]
                near = nearest(unknown[0].split("=")[0], list(itertools.chain(*spellings)))
                close = near.partition(" (nearest: ")[1:]
                raise UnknownNameError(
                    f"unknown option {unknown[0]!r}", f"one of {', '.join(listed)}{''.join(close)}"
                )
            raise SpecError(f"{unknown[0]!r} is one word too many", "options as --name value")
        return namespace

    def error(self, message: str) -> NoReturn:
        """Raise SpecError in place of leaving the process."""
        raise SpecError(message, remedy="ask for help with -h")


class _HelpAll(argparse.Action):
    def __call__(self, parser: Any, *_: Any) -> None:
        print(parser.format_help(whole=True))
        parser.exit()


def add_spec_options(parser: argparse.ArgumentParser, only: Collection[str] | None = None) -> None:
    """Add one option for each field of RunSpec; ``dataset`` becomes the positional argument.

    Options that are not given do not appear in the namespace.  ``only`` names
    the fields that are wanted, None for all.
    """
    part: Any = parser
    for item in dataclasses.fields(RunSpec):
        if item.name in _PARTS:
            part = parser.add_argument_group(_PARTS[item.name])
        if only is not None and item.name not in only:
            continue
        help_text, choices = _help(item), field_choices(item)
        flags = [f"--{item.name.replace('_', '-')}"]
        flags += [f"--{item.name}"] if "_" in item.name else []
        flags += [
            f"--{form}"
            for alias, name in OPTION_ALIASES.items()
            if name == item.name
            for form in sorted({alias, alias.replace("_", "-")})
        ]
        kind = str(item.type)
        settings: dict[str, Any] = {"default": argparse.SUPPRESS, "help": help_text}
        if item.name == "dataset":
            flags, settings["nargs"] = [item.name], "?"
        elif kind == "bool":
            settings["action"] = argparse.BooleanOptionalAction
        elif kind.startswith("Mapping"):
            settings |= {"nargs": "+", "metavar": "KEY=VALUE"}
        elif kind.startswith("tuple"):
            settings |= {"nargs": "+", "metavar": "NAME"}
        elif item.metadata["choices"]:
            settings["metavar"] = f"{{{','.join(choices)}}}"
        else:
            plain = kind.split(" ")[0].upper()
            settings["metavar"] = item.name.upper() if plain == "STR" else plain
        action: Any = part.add_argument(*flags, **settings)  # the first flag gives the dest
        action.completer = lambda known=choices, **_: known  # for argcomplete
    if only is None or "dataset_options" in only:
        add_reading_options(parser)


def add_reading_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of reading data; each may stand among the ``dataset_options`` too."""
    group = parser.add_argument_group("reading data")
    for name, text in READING.items():
        flags = dict.fromkeys((f"--{name.replace('_', '-')}", f"--{name}"))
        group.add_argument(
            *flags,
            dest=name,
            default=argparse.SUPPRESS,
            help=text,
            nargs="+" if name in SEVERAL else None,
            metavar="VALUE",
        )


def reading_options(namespace: argparse.Namespace) -> dict[str, Any]:
    """Return the options of reading that were given; a single value as itself."""
    found: dict[str, Any] = {}
    for name in READING:
        if not hasattr(namespace, name):
            continue
        given = getattr(namespace, name)
        texts = given if isinstance(given, list) else [given]
        # Words for what is missing, null and NaN among them, are no JSON.
        values = [read_value(one) if one[:1] in "[{" or name != "missing" else one for one in texts]
        found[name] = values if len(values) > 1 else values[0]
    return found


def spec_options(namespace: argparse.Namespace) -> dict[str, Any]:
    """Return the options that were given, as keywords of ``RunSpec.from_options``."""
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
    return with_reading({**options, **reading_options(namespace)})


def in_line_words(error: HcatError) -> str:
    """Return what an error says, its remedy as options of a line in place of Python's keywords.

    >>> in_line_words(HcatError("no", remedy='on_bad_row="drop" or impute="median"'))
    'no; to mend it: --on-bad-row drop or --impute median'
    """
    if not error.remedy:
        return str(error)
    head = str(error)[: -len(error.remedy.rstrip("."))]
    return head + as_options(error.remedy.rstrip("."))


def as_options(remedy: str) -> str:
    """Return a remedy with options of a line in place of Python's keywords.

    >>> as_options("exclude='row', or join_spellings=True")
    '--exclude row, or --join-spellings'
    >>> as_options("hcat.load(dataset, drop=['id'])")
    "hcat.load(dataset, drop=['id'])"
    """
    return _KEYWORD.sub(_as_option, remedy)


def _as_option(found: re.Match[str]) -> str:
    name, value = found["name"], found["value"].strip("\"'")
    before = found.string[: found.start()]
    if before.count("(") > before.count(")"):  # within a call in Python
        return found[0]
    if name in _IN_LINE and value == "True":
        return f"--{name.replace('_', '-')}"
    if name in _IN_LINE:
        return f"--{name.replace('_', '-')}" + (f" {shlex.quote(value)}" if value else "")
    return found[0]


def refuse_several(hardness: Any) -> None:
    """Tell those who write several kinds of ``hardness`` as one word how a mixture is written."""
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
    if choices and not item.metadata["choices"]:
        text += ": " + ", ".join(choices)
    if item.default not in (None, dataclasses.MISSING):
        shown = " ".join(item.default) if isinstance(item.default, tuple) else item.default
        text += f" [{shown}]"
    return text.replace("%", "%%")


def read_pair(text: str) -> tuple[str, Any]:
    """Read ``key=value``; SpecError if it is none."""
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


def read_yaml(text: str) -> Any:
    """Return what plain YAML says; nothing in it is executed.

    ValueError if it is no YAML, a key is given twice, or it holds more than a million
    values or levels without end, which a few lines of aliases can.
    """
    import yaml  # type: ignore[import-untyped]

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            self.flatten_mapping(node)
            pairs = [self.construct_object(key, deep=True) for key, _ in node.value]
            twice = [key for number, key in enumerate(pairs) if key in pairs[:number]]
            if twice:
                raise ValueError(f"the key {twice[0]!r} is given twice")
            return dict(super().construct_mapping(node, deep=deep))

    try:
        values = yaml.load(text, Loader)  # noqa: S506 - a SafeLoader
        _count(values)
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None
    except RecursionError:
        raise ValueError("it goes too deep") from None
    return values


def _count(values: Any) -> None:
    """Count values as often as they are referred to; stop where that has no sensible end."""
    left = [values]
    for _ in range(_MOST_VALUES):
        if not left:
            return
        one = left.pop()
        if isinstance(one, dict):
            left += [*one, *one.values()]
        elif isinstance(one, (list, tuple, set)):
            left += one
    raise ValueError(f"it holds more than {_MOST_VALUES:,} values")
