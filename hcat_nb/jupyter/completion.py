"""Completes options, their values, names and variables behind ``%hcat_train``."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from hcat_nb.jupyter.magic_parser import (
    looks_like_data,
    looks_like_model,
    make_parser,
    user_variables,
)
from hcat_nb.jupyter.screens import DISPLAYS
from hcat_nb.spec import OPTION_ALIASES, RunSpec, field_choices

__all__ = ["add_completer", "complete"]

_CALL = re.compile(r"^\s*(?:[\w.]+\s*=\s*)?%{1,2}hcat_train\s(?P<rest>.*)$", re.DOTALL)
_IDENTIFIER = "hcat_nb.hcat_train"


def complete(line: str, variables: Mapping[str, Any]) -> tuple[str, list[str]] | None:
    """Return the word before the cursor and what it may become.

    Parameters
    ----------
    line : str
        Text of the line up to the cursor.
    variables : mapping
        Of the notebook.

    Returns
    -------
    tuple of (str, list of str), or None
        None where the line is no call of the magic.

    Examples
    --------
    >>> complete("run = %hcat_train digits --epo", {})
    ('--epo', ['--epochs'])
    """
    call = _CALL.match(line)
    if call is None:
        return None
    words = call["rest"].split()
    word = "" if not words or line[-1].isspace() else words.pop()
    candidates = _options() if word.startswith("-") else _values(words, variables)
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


def _options() -> list[str]:
    aliases = {f"--{form}" for name in OPTION_ALIASES for form in (name, name.replace("_", "-"))}
    spellings = {
        option
        for action in make_parser()._actions
        for option in action.option_strings
        if option.startswith("--") and "_" not in option
    }
    return sorted(spellings - aliases)


def _values(words: list[str], variables: Mapping[str, Any]) -> list[str]:
    """Return what may stand behind ``words``."""
    option = next((word for word in reversed(words) if word.startswith("--")), None)
    since = 0 if option is None else len(words) - 1 - words[::-1].index(option)
    name = "" if option is None else option[2:].replace("-", "_")
    name = OPTION_ALIASES.get(name, name)
    item = {item.name: item for item in dataclasses.fields(RunSpec)}.get(name)
    many = item is not None and str(item.type).startswith(("tuple", "Mapping"))
    if option is not None and (many or since == len(words) - 1):
        if name == "display":
            return list(DISPLAYS)
        if name == "target":
            return _columns(words, variables)
        if item is None or item.type == "bool":
            return []
        own = user_variables(variables, looks_like_model) if name == "model" else []
        return field_choices(item) + own
    if option is None and not words:
        dataset = next(item for item in dataclasses.fields(RunSpec) if item.name == "dataset")
        return field_choices(dataset) + user_variables(variables, looks_like_data)
    return []


def _columns(words: list[str], variables: Mapping[str, Any]) -> list[str]:
    frame = variables.get(words[0])
    columns = getattr(frame, "columns", ())
    return [str(column) for column in columns if str(column).isidentifier()]
