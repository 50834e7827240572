"""Chooses data or model: a name, a variable of the notebook, or the path of a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets  # noqa: TID253 - this module is imported when a panel opens

from hcat_nb.magics.parser import user_variables

__all__ = ["NameOrVariable"]

_PATH = " path"  # no name of a variable or plug-in begins with a blank


class NameOrVariable:
    """A drop-down of names and of variables that fit, with room for a path.

    Parameters
    ----------
    name : str
        What it is called.
    names : sequence of str
        Known by name.
    fits : callable
        Whether a variable may stand there.
    value : str
        The word to begin with.
    path : str
        What the entry for a path says; empty for none.
    looks : mapping
        Settings of the widgets.
    """

    def __init__(
        self,
        name: str,
        names: Sequence[str],
        fits: Callable[[Any], bool],
        value: str,
        path: str,
        looks: Mapping[str, Any],
    ) -> None:
        self._names = list(names)
        self._fits = fits
        self._path = path
        self._heard: list[Callable[[], None]] = []
        self._quiet = False
        self.choice = ipywidgets.Dropdown(
            **{**looks, "description": name, "options": [*self._names]}
        )
        self.path = ipywidgets.Text(
            **{
                **looks,
                "description": "path",
                "placeholder": "birds.csv or ./photos",
                "continuous_update": False,
            }
        )
        self._wanted = value
        self.refresh({})
        self.choice.observe(self._on_choice, "value")
        self.path.observe(lambda _: self._tell(), "value")
        self.widget = ipywidgets.VBox([self.choice, self.path])  # shown where a path is chosen

    @property
    def word(self) -> str:
        """The word of a line that stands for what is chosen; empty for a path not yet given."""
        value = self.choice.value
        return self.path.value.strip() if value == _PATH else str(value)

    def refresh(self, variables: Mapping[str, Any]) -> None:
        """Offer the variables that there are now; what is chosen stays."""
        own = user_variables(variables, self._fits)
        options = [(f"{name} (variable)", name) for name in own]
        # A variable goes before a name, as in the magics.
        options += [(name, name) for name in self._names if name not in own]
        known = [value for _, value in options]
        if self._path:
            options.append((self._path, _PATH))
        wanted = self._wanted
        if wanted not in known and wanted != _PATH:
            if self._path and ("/" in wanted or "." in wanted):
                self.path.value, wanted = wanted, _PATH
            else:  # a variable that is gone: the line says so when it is read
                options.append((f"{wanted} (not there)", wanted))
        if tuple(options) != tuple(self.choice.options):
            self._quiet = True
            self.choice.options = options
            self.choice.value = wanted
            self._quiet = False
        self._wanted = wanted
        self._show_path()

    def on_change(self, hear: Callable[[], None]) -> None:
        """Call ``hear`` whenever another word is chosen."""
        self._heard.append(hear)

    def _on_choice(self, _: Any) -> None:
        if self._quiet:
            return
        self._wanted = self.choice.value
        self._show_path()
        self._tell()

    def _show_path(self) -> None:
        self.path.layout.display = None if self.choice.value == _PATH else "none"

    def _tell(self) -> None:
        for hear in self._heard:
            hear()
