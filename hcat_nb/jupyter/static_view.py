"""What a notebook shows without a front end or without its kernel.

Two outputs stand one after the other: the live view, and a picture with a
summary.  A style sheet inside the second one decides which is seen: the
picture is hidden while a live view stands before it, and a view that can no
longer be loaded is hidden for the picture.  Nothing may come between the two.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from html import escape
from typing import Any

# .hcat-live is the root of run_monitor.js, of sample_gallery.js, and of the panels.
_STYLE = (
    "<style>"
    ".jp-OutputArea-child:has(.hcat-live) + .jp-OutputArea-child:has(.hcat-static)"
    "{display:none}"
    ".jp-OutputArea-child:has(+ .jp-OutputArea-child .hcat-static)"
    ":has(> .jupyter-widgets):not(:has(.hcat-live))"
    "{display:none}"
    ".hcat-static img{max-width:100%;background:white}"
    ".hcat-static progress{accent-color:#3478b8;vertical-align:middle}"
    "</style>"
)


def live_output(widget: Any) -> dict[str, Any]:
    """Return the output of a widget, by MIME type, for the place before a static view."""
    # Without text/plain, which would be shown where the widget cannot be.
    view = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
    return {"application/vnd.jupyter.widget-view+json": view}


@dataclass(frozen=True)
class StaticView:
    """An output that needs no kernel: plain text, also the picture's alternative, and a picture.

    ``share`` is how much of a run is done, in [0, 1]; None when it is over.
    """

    summary: str
    share: float | None = None
    png: bytes | None = None

    def bundle(self) -> dict[str, Any]:
        """Return the output by MIME type."""
        words = escape(self.summary)
        parts = [_STYLE, '<div class="hcat-static">']
        data: dict[str, Any] = {}
        if self.png is not None:
            encoded = base64.b64encode(self.png).decode()
            parts.append(f'<img alt="{words}" src="data:image/png;base64,{encoded}">')
            data["image/png"] = encoded
        if self.share is not None:
            parts.append(f'<progress value="{self.share:.4f}" max="1"></progress> ')
        parts.append(f"<div>{words}</div></div>")
        return {"text/html": "".join(parts), **data, "text/plain": self.summary}
