"""What a notebook shows without a front end or without its kernel.

Two outputs stand one after the other: the live view, and a picture with a
summary.  A style sheet inside the second one decides which is seen: the
picture is hidden while the live view has its kernel, and a view without one
is hidden for the picture, in whatever page the two stand.  What Jupyter puts
in the place of a view that it cannot load is hidden, too; for that nothing may
come between the two.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from html import escape
from typing import Any

# ipywidgets marks a view without a kernel. .hcat-live is the root of run_monitor.js, of
# sample_gallery.js, and of the panels.
_PAIR = (
    ":root:has(.hcat-live-%(of)s:not(.jupyter-widgets-disconnected))"
    " :is(.hcat-static-%(of)s,.jp-OutputArea-child:has(.hcat-static-%(of)s)),"
    ".hcat-live-%(of)s.jupyter-widgets-disconnected{display:none}"
)
_STYLE = (
    ".jp-OutputArea-child:has(+ .jp-OutputArea-child .hcat-static)"
    ":has(> .jupyter-widgets):not(:has(.hcat-live))"
    "{display:none}"
    ".hcat-static img{max-width:100%;background:white}"
    ".hcat-static progress{accent-color:#3478b8;vertical-align:middle}"
)


def live_output(widget: Any) -> dict[str, Any]:
    """Return the output of a widget, by MIME type, for the place before a static view.

    The widget gets the class by which that view's ``of``, the widget's id, finds it.
    """
    widget.add_class(f"hcat-live-{widget.model_id}")
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

    def bundle(self, of: str = "") -> dict[str, Any]:
        """Return the output by MIME type; ``of``: the id of the widget that it stands in for."""
        words = escape(self.summary)
        pair = _PAIR % {"of": of} if of else ""
        parts = [f'<style>{pair}{_STYLE}</style><div class="hcat-static hcat-static-{of}">']
        data: dict[str, Any] = {}
        if self.png is not None:
            encoded = base64.b64encode(self.png).decode()
            parts.append(f'<img alt="{words}" src="data:image/png;base64,{encoded}">')
            data["image/png"] = encoded
        if self.share is not None:
            parts.append(f'<progress value="{self.share:.4f}" max="1"></progress> ')
        parts.append(f"<div>{words}</div></div>")
        return {"text/html": "".join(parts), **data, "text/plain": self.summary}
