"""The Python half of ``widgets/src/chart_view.js``: one chart of a panel, offline.

The chart goes out as a message, so that a saved notebook holds none.
"""

from __future__ import annotations

import threading
from typing import Any

import anywidget  # noqa: TID253 - this module is imported when a widget is wanted
import traitlets

from hcat_nb.assets import source
from hcat_nb.jupyter.vega_bundle import vega_bundle


class ChartView(anywidget.AnyWidget):
    """A view of a chart, which follows the page's theme."""

    _esm = source("chart_view.js")
    _css = source("chart_view.css")
    _vega = traitlets.Unicode().tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        self._vega = vega_bundle()
        self._lock = threading.Lock()
        self._last: dict[str, Any] | None = None
        self._seq = 0
        super().__init__(**traits)
        self.on_msg(self._hear)

    def show(self, spec: dict[str, Any]) -> None:
        """Draw a specification in every view, in place of the one before; safe in any thread."""
        with self._lock:
            self._seq += 1
            self._last = {"type": "chart", "seq": self._seq, "spec": spec}
            self.send(self._last)

    def _hear(self, _: Any, content: dict[str, Any], buffers: list[memoryview]) -> None:
        if content.get("type") == "ready":  # a new view, or one after a reload
            with self._lock:
                if self._last is not None:
                    self.send(self._last)
