"""How a panel comes onto the page and leaves it: one a cell, with words for where no kernel is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from hcat_nb.jupyter.screens import asked_from
from hcat_nb.jupyter.static_view import StaticView, live_output


class Panel(Protocol):
    """What is shown by widgets."""

    def close(self) -> None:
        """Take the widgets off the page, and let go of runs and data."""


# The panel of each cell: running a cell again closes what it showed before,
# so that neither widgets nor data pile up in the kernel.
_panels: dict[str | None, Panel] = {}


def show_panel(panel: Panel, widget: Callable[[], Any], view: Callable[[], StaticView]) -> None:
    """Display a panel: a widget where a person watches, and behind it what needs no kernel.

    The panel is closed when its cell shows another one, unless it is shown elsewhere, too. The
    widget's page has an element of the class ``hcat-live``.
    """
    from IPython.display import display

    how, cell = asked_from()
    if how == "none":
        print(repr(panel))
        return
    if how == "widget":
        before, _panels[cell] = _panels.get(cell), panel
        if before is not None and before not in _panels.values():
            before.close()
        display(live_output(widget()), raw=True)
    display(view().bundle(), raw=True)
