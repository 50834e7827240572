"""The Python half of ``widgets/src/live_map.js``: a map that moves in place.

The specification goes out once, as a trait.  States go out as messages, not
as traits, so that a saved notebook holds none of them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import anywidget  # noqa: TID253 - this module is imported when a widget is wanted
import traitlets

from hcat_nb.assets import asset
from hcat_nb.jupyter.frames import Frame
from hcat_nb.jupyter.vega_bundle import live_map_module

__all__ = ["LiveMap"]


class LiveMap(anywidget.AnyWidget):
    """A Vega view on the named datasets "points" and "bins".

    Parameters
    ----------
    on_drawn : callable, optional
        Hears how many seconds the browser took for a frame; it may be called
        in any thread.
    """

    _css = asset("live_map.css")
    spec = traitlets.Dict().tag(sync=True)

    def __init__(self, on_drawn: Callable[[float], None] | None = None, **traits: Any) -> None:
        self._esm = live_map_module()
        self._on_drawn = on_drawn
        self._lock = threading.Lock()
        self._last: Frame | None = None
        self._seq = 0
        super().__init__(**traits)
        self.on_msg(self._hear)

    def show(self, frame: Frame) -> None:
        """Draw a state in every view; safe in any thread."""
        with self._lock:
            self._last = frame
            self._seq += 1
            self.send({**frame.content, "seq": self._seq}, buffers=frame.buffers)

    def _hear(self, _: Any, content: dict[str, Any], buffers: list[memoryview]) -> None:
        kind = content.get("type")
        if kind == "ready":  # a view that has nothing to show yet, after a reload say
            with self._lock:
                if self._last is not None:
                    again = {**self._last.content, "seq": self._seq}
                    self.send(again, buffers=self._last.buffers)
        elif kind == "ack" and self._on_drawn is not None:
            self._on_drawn(float(content["draw_ms"]) / 1000)
