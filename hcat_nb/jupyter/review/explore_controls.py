"""The controls of the explorer, as plain ipywidgets around map, gallery and sample in focus."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets  # noqa: TID253 - this module is imported when a panel is shown

if TYPE_CHECKING:
    from hcat_nb.jupyter.review.exploration import Exploration

__all__ = ["ExploreControls"]

_ALL = object()  # no class can be mistaken for it, whatever it is called
_EXPORT = ("Export", "write all decisions to this file")
_REPLACE = ("Replace the file?", "it was there before: press again to write over it")
_WORDS = {"label": "class", "group": "group", "truth": "truth", "decision": "decision"}


class ExploreControls:
    """What the user chooses with the mouse.

    Parameters
    ----------
    exploration : Exploration
    colors : list of str
    chosen : mapping
        ``x``, ``y`` and ``color`` as they are.
    on_change : callable
        Hears ``("x" | "y" | "color" | "by" | a filter, value)``; None: all.
    on_press : callable
        Hears ``("export" | "import" | "all", path)``; of an export over a file
        that is not from here when the button is pressed again.

    Attributes
    ----------
    top : ipywidgets.Widget
        Axes, colour, filters and order.
    bottom : ipywidgets.Widget
        The file of decisions.
    """

    def __init__(
        self,
        exploration: Exploration,
        colors: list[str],
        chosen: Mapping[str, str],
        on_change: Callable[[str, Any], object],
        on_press: Callable[[str, str], object],
    ) -> None:
        self._on_change = on_change
        self._on_press = on_press
        self._boxes: dict[str, ipywidgets.Dropdown] = {}
        known = list(exploration.axes)
        plain = [
            self._dropdown("x", "x", known, chosen["x"]),
            self._dropdown("y", "y", known, chosen["y"]),
            self._dropdown("color", "colour", colors, chosen["color"]),
            self._dropdown("by", "hardest by", exploration.orders, exploration.by),
        ]
        on = exploration.filters
        filters = [
            self._dropdown(name, words, [("(all)", _ALL), *pairs], on.get(name, _ALL))
            for name, words in _WORDS.items()
            if (pairs := [(one, one) for one in exploration.choices(name)])
        ]
        row = ipywidgets.Layout(flex_flow="row wrap")
        show_all = self._button("all", "Show all", "take the selection away")
        self.top = ipywidgets.HBox([*plain, *filters, show_all], layout=row)
        self._path = ipywidgets.Text(
            value="decisions.csv",
            description="decisions",
            tooltip="a .csv or .parquet file",
            layout=ipywidgets.Layout(width="300px"),
        )
        self._kept = ipywidgets.Label()
        self._export = self._button("export", *_EXPORT)
        self._written: set[str] = set()  # files that are from here
        self._path.observe(lambda _: self._ask(False), names="value")
        self.bottom = ipywidgets.VBox(
            [
                ipywidgets.HBox(
                    [
                        self._path,
                        self._export,
                        self._button("import", "Import", "take in the decisions of this file"),
                    ],
                    layout=row,
                ),
                self._kept,
            ]
        )

    def say(self, words: str) -> None:
        """Say how many decisions there are and where they are kept."""
        self._kept.value = words

    def show(self, name: str, value: str | None) -> None:
        """Set a control to what was chosen elsewhere."""
        if name in self._boxes:
            self._boxes[name].value = _ALL if value is None else value

    def _dropdown(
        self, name: str, words: str, options: Sequence[Any], value: Any
    ) -> ipywidgets.Dropdown:
        box = ipywidgets.Dropdown(
            options=options,
            value=value,
            description=words,
            layout=ipywidgets.Layout(width="215px"),
            style={"description_width": "76px"},
        )
        box.observe(
            lambda change: self._on_change(name, None if change["new"] is _ALL else change["new"]),
            names="value",
        )
        self._boxes[name] = box
        return box

    def _button(self, name: str, words: str, tooltip: str) -> ipywidgets.Button:
        button = ipywidgets.Button(
            description=words, tooltip=tooltip, layout=ipywidgets.Layout(width="auto")
        )
        button.on_click(lambda _: self._press(name, self._path.value))
        return button

    def _press(self, name: str, path: str) -> None:
        if name == "export":
            asked, foreign = bool(self._export.button_style), path not in self._written
            self._ask(not asked and foreign and Path(path).expanduser().exists())
            if self._export.button_style:
                return
        self._on_press(name, path)
        if name == "export" and Path(path).expanduser().exists():  # not where it failed
            self._written.add(path)

    def _ask(self, whether: bool) -> None:
        """Let the button for an export ask whether to replace the file."""
        words, tooltip = _REPLACE if whether else _EXPORT
        self._export.description, self._export.tooltip = words, tooltip
        self._export.button_style = "warning" if whether else ""
