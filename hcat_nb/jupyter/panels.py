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


def show_panel(
    panel: Panel, widget: Callable[[], Any], view: Callable[[], StaticView]
) -> Callable[[], object]:
    """Display a panel: a widget where a person watches, and behind it what needs no kernel.

    The panel is closed when its cell shows another one, unless it is shown elsewhere, too. The
    widget's page has an element of the class ``hcat-live``.  Returned is what brings the view
    behind it up to date.
    """
    from IPython.display import display

    how, cell = asked_from()
    if how == "none":
        print(repr(panel))
        return lambda: None
    of = ""
    if how == "widget":
        before, _panels[cell] = _panels.get(cell), panel
        if before is not None and before not in _panels.values():
            before.close()
        shown = widget()
        of = shown.model_id
        display(live_output(shown), raw=True)
    handle = display(view().bundle(of), raw=True, display_id=True)
    return lambda: handle.update(view().bundle(of), raw=True)
