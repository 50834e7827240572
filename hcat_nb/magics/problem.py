"""A mistake in the panel's own words, with a button for each remedy that is one choice away."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import ipywidgets  # noqa: TID253 - this module is imported when a panel opens

from hcat_nb.errors import HcatError
from hcat_nb.jupyter.screens import close_tree
from hcat_nb.magics.controls import FormControl

_COLUMNS = 4  # of a table that are offered as target, the last ones first
_STYLE = (
    "border-left:4px solid var(--jp-error-color1, #c2255c);padding:4px 12px;line-height:1.4;"
    "background:var(--jp-layout-color2, #88888822);overflow-wrap:anywhere"
)


class Mend(NamedTuple):
    """What a button says, and the value that it gives to a control."""

    words: str
    name: str
    value: str


def mends(error: Exception, values: Mapping[str, Any]) -> list[Mend]:
    """Return the remedies of an error that one of the controls, here by name, can take."""
    if not isinstance(error, HcatError):
        return []
    expected, remedy = error.expected or "", error.remedy or ""
    found = []
    if choice := re.match(r'(\w+)="(\w+)" (leaves these rows out)?', remedy):
        words = "Leave these rows out" if choice[3] else f"{choice[1]}: {choice[2]}"
        found.append(Mend(words, choice[1], choice[2]))
    if columns := re.search(r"target=, the column that holds them: one of (.+)", remedy):
        for column in reversed(columns[1].split(", ")[-_COLUMNS:]):
            found.append(Mend(f"target: {column}", "target", column))
    wrong = re.search(r"'([^']+)'", error.wrong)
    close = re.search(r"\(nearest: ([^,)]+)", expected)
    if wrong and close:
        for name, value in values.items():
            if isinstance(value, str) and re.search(rf"(?<!\w){re.escape(wrong[1])}(?!\w)", value):
                found.append(Mend(f"{name}: {close[1]}", name, value.replace(wrong[1], close[1])))
    return [one for one in found if one.name in values]


class Problem(ipywidgets.VBox):  # type: ignore[misc] # ipywidgets is not annotated
    """A line of text, or an error with its buttons; nothing at first.

    ``controls`` returns those by name that a button may set.
    """

    def __init__(self, controls: Callable[[], Mapping[str, FormControl]]) -> None:
        self._controls = controls
        self._line = ipywidgets.HTML("")  # wraps, as a Label would not; holds escaped text
        self._buttons = ipywidgets.HBox(layout={"flex_flow": "row wrap"})
        super().__init__([self._line, self._buttons])

    def say(self, text: str) -> None:
        """Show one line, as text."""
        words = html.escape(" ".join(text.split()))
        self._show(f'<span role="status">{words}</span>', [])

    def fail(self, error: Exception, words: str) -> None:
        """Show an error in these words."""
        line = f'<div role="alert" style="{_STYLE}">{html.escape(words)}</div>'
        values = {name: control.widget.value for name, control in self._controls().items()}
        self._show(line, mends(error, values))

    def _show(self, line: str, offered: list[Mend]) -> None:
        self._line.value, before = line, self._buttons.children
        self._buttons.children = [self._button(one) for one in offered]
        for button in before:
            close_tree(button)

    def _button(self, mend: Mend) -> Any:
        layout = ipywidgets.Layout(width="auto")
        button = ipywidgets.Button(
            description=mend.words, tooltip=f"set {mend.name} to {mend.value}", layout=layout
        )
        widget = self._controls()[mend.name].widget
        button.on_click(lambda _: setattr(widget, "value", mend.value))
        return button
