"""Completes options, their values, names and variables behind the magics."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

from hcat_nb.api.listing import KINDS
from hcat_nb.commands.command import Command, Own
from hcat_nb.commands.table import MAGICS
from hcat_nb.fields import field_choices
from hcat_nb.magics.parser import looks_like_data, looks_like_model, looks_like_run, user_variables
from hcat_nb.registry import PERTURBATIONS
from hcat_nb.runs.store.folder import CHECKPOINT
from hcat_nb.spec import OPTION_ALIASES, RunSpec

_CALL = re.compile(
    r"^\s*(?:[\w.]+\s*=\s*)?%{1,2}(?P<name>" + "|".join(MAGICS) + r")\s(?P<rest>.*)$", re.DOTALL
)
_IDENTIFIER = "hcat_nb.magics"
_LOOKED_AT = 2000  # files and folders: a key press must not wait for a whole disk
_FIELDS = {item.name: item for item in dataclasses.fields(RunSpec)}


def complete(line: str, variables: Mapping[str, Any]) -> tuple[str, list[str]] | None:
    """Return the word before the cursor and what it may become; None: no call of a magic of ours.

    >>> complete("run = %hcat_train digits --epo", {})
    ('--epo', ['--epoch-mean', '--epochs'])
    """
    call = _CALL.match(line)
    if call is None:
        return None
    command = MAGICS[call["name"]]
    words = call["rest"].split()
    word = "" if not words or line[-1].isspace() else words.pop()
    named = word.startswith("-")
    candidates = _options(command) if named else _values(command, words, variables)
    return word, [name for name in candidates if name.startswith(word)]


def add_completer(shell: Any) -> None:
    """Add the completion to a shell, once."""
    from IPython.core.completer import SimpleCompletion, context_matcher

    matchers = shell.Completer.custom_matchers
    if any(getattr(one, "matcher_identifier", "") == _IDENTIFIER for one in matchers):
        return

    @context_matcher(identifier=_IDENTIFIER, priority=200)  # type: ignore[untyped-decorator]
    def hcat_matcher(context: Any) -> dict[str, Any]:
        found = complete(context.line_with_cursor[: context.cursor_position], shell.user_ns)
        if found is None:
            return {"completions": [], "suppress": False}
        word, names = found
        return {
            "completions": [SimpleCompletion(text=name, type="hcat") for name in names],
            "suppress": True,
            "matched_fragment": word,
        }

    matchers.append(hcat_matcher)


def _options(command: Command) -> list[str]:
    """Return the options, each in one spelling."""
    aliases = {f"--{form}" for name in OPTION_ALIASES for form in (name, name.replace("_", "-"))}
    spellings = {
        option
        for action in command.parser()._actions
        for option in action.option_strings
        if option.startswith("--") and "_" not in option
    }
    return sorted(spellings - aliases)


def _values(command: Command, words: list[str], variables: Mapping[str, Any]) -> list[str]:
    """Return what may stand behind ``words``."""
    actions = command.parser()._actions
    flags = {option for action in actions if action.nargs == 0 for option in action.option_strings}
    words = [word for word in words if word not in flags]  # nothing stands behind these
    option = next((word for word in reversed(words) if word.startswith("-")), None)
    since = len(words) if option is None else len(words) - 1 - words[::-1].index(option)
    given = len(words) - 1 - since  # values of the option so far
    if option is not None:
        name = option.lstrip("-").replace("-", "_")
        name = OPTION_ALIASES.get(name, name) if command.fields else name
        own = next((one for one in command.own if one.key == name and not one.positional), None)
        if own is not None:
            many = own.settings.get("nargs") == "+"
            return _of_own(own, variables) if many or given == 0 else []
        item = _FIELDS.get(name) if name in command.fields else None
        if item is None:
            return []
        many = str(item.type).startswith(("tuple", "Mapping"))
        return _of_field(item, words, variables) if many or given == 0 else []
    positional = [one for one in command.own if one.positional]
    for place, one in enumerate(positional):
        if place == len(words) or one.settings.get("nargs") in ("*", "+"):
            return _of_own(one, variables)
    if "dataset" in command.fields and len(words) == len(positional):
        return _of_field(_FIELDS["dataset"], words, variables)
    return []


def _of_field(
    item: dataclasses.Field[Any], words: list[str], variables: Mapping[str, Any]
) -> list[str]:
    if item.name == "target":
        return _columns(words, variables)
    if item.name == "hardness_options":
        return _hardness_options(words)
    fits = {"dataset": looks_like_data, "model": looks_like_model}.get(item.name)
    return field_choices(item) + ([] if fits is None else user_variables(variables, fits))


def _of_own(own: Own, variables: Mapping[str, Any]) -> list[str]:
    if own.values in KINDS:
        return KINDS[own.values].names()
    fits = {"run": looks_like_run, "data": looks_like_data, "model": looks_like_model}
    if own.values in fits:
        found = user_variables(variables, fits[own.values])
        return found + (_folders() if own.values == "run" else [])
    return _folders() if own.values == "folder" else list(own.choices)


def _folders() -> list[str]:
    """Return the folders below the current one, and those in them, that hold a run."""
    near = (path for pattern in ("*", "*/*") for path in Path().glob(pattern))
    some = islice(near, _LOOKED_AT)
    return sorted(
        str(path) for path in some if (path / "run.json").is_file() or (path / CHECKPOINT).is_dir()
    )


def _hardness_options(words: list[str]) -> list[str]:
    """Return the options of the kind of hardness that the line names."""
    for option, value in pairwise(words):
        name = option.lstrip("-").replace("-", "_")
        if OPTION_ALIASES.get(name, name) == "hardness":
            if value not in PERTURBATIONS.names():
                return []
            plugin = PERTURBATIONS.get(value)
            return [f"{item.name}=" for item in dataclasses.fields(plugin) if item.init]
    return []


def _columns(words: list[str], variables: Mapping[str, Any]) -> list[str]:
    frame = variables.get(words[0])
    columns = getattr(frame, "columns", ())
    return [str(column) for column in columns if str(column).isidentifier()]
