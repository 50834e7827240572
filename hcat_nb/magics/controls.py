"""A control for each option, made from what the option says of itself.

A control speaks in words of a line (``["--epochs", "20"]``, nothing for the
default), so that a panel trains exactly what its line says.
"""

from __future__ import annotations

import dataclasses
import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, get_args, get_origin, get_type_hints

import ipywidgets  # noqa: TID253 - this module is imported when a panel opens

from hcat_nb.errors import SpecError
from hcat_nb.fields import field_choices
from hcat_nb.magics.text import option_words
from hcat_nb.spec import RunSpec

_LAYOUT = {"width": "calc(100% - 6px)", "max_width": "420px"}  # a control has margins
_STYLE = {"description_width": "132px"}  # "observe batch size"
_NONE = "none"


class FormControl:
    """One option and its widget, whose ``default`` value gives no ``words``."""

    def __init__(
        self, name: str, widget: Any, default: Any, words: Callable[[Any], list[str]]
    ) -> None:
        self.name = name
        self.widget = widget
        self.default = default
        self._words = words

    def words(self, always: bool = False) -> list[str]:
        """Return what the control adds to a line; ``always``: even at the default."""
        if self.widget.value == self.default and not always:
            return []
        return self._words(self.widget.value)

    def on_change(self, hear: Callable[[], None]) -> None:
        """Call ``hear`` whenever the value changes."""
        self.widget.observe(lambda _: hear(), "value")


def field_control(item: dataclasses.Field[Any], value: Any) -> FormControl:
    """Return the control of a field of RunSpec, showing ``value``."""
    name, kind = item.name, str(item.type)
    flag = f"--{name.replace('_', '-')}"
    dress = looks(name, item.metadata["help"])
    choices = field_choices(item)
    if kind == "bool":
        box = ipywidgets.Checkbox(value=value, indent=True, **dress)
        return FormControl(name, box, item.default, lambda now: option_words(name, now))
    if choices and not kind.startswith("tuple"):
        return _dropdown(name, choices, str(item.default or _NONE), value or _NONE, dress)
    if kind in ("int", "float"):
        make = ipywidgets.IntText if kind == "int" else ipywidgets.FloatText
        step = {"step": 0.01} if name == "p" else {}
        return FormControl(
            name, make(value=value, **step, **dress), item.default, lambda now: [flag, str(now)]
        )
    several = kind.startswith(("tuple", "Mapping"))
    default = _shown(item.default)
    if several:  # a mapping's default is empty
        default = shlex.join(getattr(RunSpec(), name)) if kind.startswith("tuple") else ""
    shown = shlex.join(option_words(name, value)[1:]) if several else _shown(value)
    text_box = ipywidgets.Combobox if name == "target" else ipywidgets.Text  # it offers columns
    box = text_box(
        value=shown,
        placeholder=str(item.metadata["expected"] or "key=value") if several else "default",
        continuous_update=False,
        **dress,
    )
    read = split if several else lambda text: [text]
    return FormControl(name, box, default, lambda text: [flag, *read(text)] if text.strip() else [])


def plugin_controls(plugin: type, given: Mapping[str, Any]) -> list[FormControl]:
    """Return a control for each option of a plug-in, a frozen dataclass.

    Their words are ``key=value``, without a flag; a control that is empty or
    shows the default gives none.
    """
    kinds = _hints(plugin)
    made = []
    for item in dataclasses.fields(plugin):
        if item.init:
            made.append(_plugin_control(item, kinds.get(item.name), given))
    return made


def _plugin_control(
    item: dataclasses.Field[Any], kind: Any, given: Mapping[str, Any]
) -> FormControl:
    name = item.name
    required = item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
    default = None if item.default is dataclasses.MISSING else item.default
    value = given.get(name, default)
    dress = looks(name, f"option of the kind of hardness, by default {_shown(default) or 'none'}")
    if kind is bool:
        box = ipywidgets.Checkbox(value=bool(value), indent=True, **dress)
        return FormControl(name, box, default, lambda now: [f"{name}={json.dumps(now)}"])
    if get_origin(kind) is Literal:
        choices = [str(choice) for choice in get_args(kind)]
        box = ipywidgets.Dropdown(options=choices, value=str(value), **dress)
        return FormControl(name, box, str(default), lambda now: [f"{name}={now}"])
    text = _shown(list(value) if isinstance(value, tuple) else value)
    empty = "needed" if required else _shown(default) or "default"
    box = ipywidgets.Text(
        value="" if name not in given else text, placeholder=empty, continuous_update=False, **dress
    )
    return FormControl(name, box, "", lambda now: [f"{name}={now.strip()}"] if now.strip() else [])


def _dropdown(
    name: str, choices: Sequence[str], default: str, value: str, dress: dict[str, Any]
) -> FormControl:
    options = list(dict.fromkeys([*choices, value]))
    box = ipywidgets.Dropdown(options=options, value=value, **dress)
    return FormControl(name, box, default, lambda now: [f"--{name.replace('_', '-')}", str(now)])


def looks(name: str, help: str) -> dict[str, Any]:
    """Return the settings that all controls share; names and help are text, never HTML."""
    return {
        "description": name.replace("_", " "),
        "description_allow_html": False,
        "tooltip": help,
        "layout": _LAYOUT,
        "style": _STYLE,
    }


def _hints(plugin: type) -> dict[str, Any]:
    try:
        return get_type_hints(plugin)
    except NameError:  # of a user's own class, whose annotations only a type checker can read
        return {}


def split(text: str) -> list[str]:
    """Split text into words as a line is."""
    try:
        return shlex.split(text)
    except ValueError as error:
        raise SpecError(f"{text!r} cannot be read ({error})", "balanced quotes") from None


def _shown(value: Any) -> str:
    if value is None or value is dataclasses.MISSING:
        return ""
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value)
    except TypeError:
        return repr(value)
