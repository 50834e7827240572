"""The Python half of ``widgets/src/copy_button.js``: a button that copies a text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anywidget  # noqa: TID253 - this module is imported when a widget is wanted
import traitlets

from hcat_nb.assets import source


class CopyButton(anywidget.AnyWidget):
    """Copies ``text``, or what ``make`` returns when the button is pressed."""

    _esm = source("copy_button.js")
    _css = source("copy_button.css")
    words = traitlets.Unicode().tag(sync=True)
    hint = traitlets.Unicode().tag(sync=True)
    text = traitlets.Unicode().tag(sync=True)
    asks = traitlets.Bool(False).tag(sync=True)

    def __init__(self, words: str, hint: str, make: Callable[[], str] | None = None) -> None:
        self._make = make
        super().__init__(words=words, hint=hint, asks=make is not None)
        self.on_msg(self._hear)

    def _hear(self, _: Any, content: dict[str, Any], buffers: list[memoryview]) -> None:
        if content.get("type") == "copy" and self._make is not None:
            self.send({"type": "text", "text": self._make()})
