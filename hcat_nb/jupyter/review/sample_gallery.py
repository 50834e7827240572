"""The Python half of ``widgets/src/sample_gallery.js``: samples to walk through.

Pages go out as messages, not as traits, so that a saved notebook holds none
of the data.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import anywidget  # noqa: TID253 - this module is imported when a widget is wanted
import traitlets

from hcat_nb.assets import source


class SampleGallery(anywidget.AnyWidget):
    """A page of samples in a listbox; ``place`` is the tile in focus.

    ``hear`` hears, in the thread that handles messages, what the user does: ``("act", {"action",
    "rows", "code"})``, ``("turn", {"to"})``, ``("focus", {"row"})``, ``("accept_shown", {})``,
    ``("undo", {})`` and ``("redo", {})``.
    """

    _esm = source("sample_gallery.js")
    _css = source("sample_gallery.css")
    classes = traitlets.List(traitlets.Unicode()).tag(sync=True)

    def __init__(
        self, classes: Sequence[str], hear: Callable[[str, dict[str, Any]], object], **traits: Any
    ) -> None:
        self._tell = hear
        self._lock = threading.Lock()
        self._page: tuple[dict[str, Any], list[bytes]] | None = None
        self.place = 0
        super().__init__(classes=list(classes), **traits)
        self.on_msg(self._hear)

    def show(self, content: dict[str, Any], buffers: list[bytes]) -> None:
        """Show a page in every view."""
        with self._lock:
            self._page = ({**content, "type": "page"}, buffers)
            self.send(self._page[0], buffers=buffers)

    def mark(self, marks: dict[int, str]) -> None:
        """Change what is written on tiles of the page, by position of the sample."""
        with self._lock:
            if self._page is None:
                return
            for tile in self._page[0]["tiles"]:
                tile["decision"] = marks.get(tile["row"], tile["decision"])
            self.send({"type": "marks", "marks": list(marks.items())})

    def say(self, words: str, bad: bool = False) -> None:
        """Put a line beside the buttons, which is read out; ``bad``: something did not work."""
        self.send({"type": "say", "said": words, "bad": bad})

    def close(self) -> None:
        """Take the gallery off the page, and let go of the samples."""
        self._page = None
        super().close()

    def _hear(self, _: Any, content: dict[str, Any], buffers: list[memoryview]) -> None:
        kind = content.get("type")
        if kind == "ready":  # a view that has nothing to show yet, after a reload say
            with self._lock:
                if self._page is not None:
                    self.send(self._page[0], buffers=self._page[1])
        elif kind is not None:
            if kind == "focus":
                self.place = int(content["place"])
            self._tell(kind, content)
