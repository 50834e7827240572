"""How far a sweep is, under its cell: one output that is updated, and stays when it is over."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape, unescape
from typing import Any

from hcat_nb.sweeps.progress import SweepProgress


class SweepScreen:
    """A bar and a line of figures; in the end the answer, the table and how to go on."""

    def __init__(self, display: Callable[..., Any] | None = None) -> None:
        self._display = display
        self._handle: Any = None
        self._last: dict[str, str] = {}

    def show(self, progress: SweepProgress) -> None:
        """Show the newest figures; what looks the same is not sent again."""
        self._put(_bundle(progress))

    def conclude(self, answer: str, table: str, line: str) -> None:
        """Put the answer (a sentence of HTML), the table (HTML) and a line for the shell first."""
        told = f'<p><b>{answer}</b></p><div style="overflow-x:auto">{table}</div>'
        told += f"<p>Charts and tests on one page: <code>{escape(line)}</code></p>"
        plain = unescape(re.sub(r"<[^>]+>", "", answer))
        last = self._last or dict.fromkeys(("text/plain", "text/html"), "")  # all was done before
        self._put(
            {
                "text/plain": f"{plain}\n{line}\n{last['text/plain']}",
                "text/html": told + last["text/html"],
            }
        )

    def _put(self, bundle: dict[str, str]) -> None:
        if bundle == self._last:
            return
        self._last = bundle
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
    best = progress.best if progress.ended < progress.total else ""
    line = "; ".join(filter(None, [f"sweep: {progress}", best]))
    share = progress.ended / max(progress.total, 1)
    # The element draws itself in the colours of the page, light or dark.
    bar = f'<progress value="{share:.4f}" max="1" aria-label="sweep" style="width:24em"></progress>'
    bar = bar if progress.ended < progress.total else ""
    return {"text/plain": line, "text/html": f"<div>{bar}<div>{escape(line)}</div></div>"}
