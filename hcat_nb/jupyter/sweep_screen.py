"""How far a sweep is, under its cell: one output that is updated, and stays when it is over."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

from hcat_nb.sweeps.progress import SweepProgress


class SweepScreen:
    """A bar and a line of figures."""

    def __init__(self, display: Callable[..., Any] | None = None) -> None:
        self._display = display
        self._handle: Any = None
        self._last: str | None = None

    def show(self, progress: SweepProgress) -> None:
        """Show the newest figures; what looks the same is not sent again."""
        line = str(progress)
        if line == self._last:
            return
        self._last = line
        bundle = _bundle(progress)
        if self._handle is not None:
            self._handle.update(bundle, raw=True)
            return
        display = self._display
        if display is None:
            from IPython.display import display
        assert display is not None
        self._handle = display(bundle, raw=True, display_id=True)

    def end(self) -> None:
        """Leave the last figures as they are."""


def _bundle(progress: SweepProgress) -> dict[str, str]:
    line = f"sweep: {progress}"
    share = progress.ended / max(progress.total, 1)
    # The element draws itself in the colours of the page, light or dark.
    bar = f'<progress value="{share:.4f}" max="1" style="width:24em"></progress>'
    return {"text/plain": line, "text/html": f"<div>{bar}<div>{escape(line)}</div></div>"}
