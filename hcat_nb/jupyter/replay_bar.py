"""The Python half of ``widgets/src/replay_bar.js``: back through the epochs of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import anywidget  # noqa: TID253 - this module is imported when a widget is wanted
import traitlets

from hcat_nb.assets import source


class ReplayBar(anywidget.AnyWidget):
    """A slider over epochs, and a button that plays them; hidden until there are two.

    ``epoch`` was shown last: where a view begins, after a reload say. ``note`` stands beside it,
    as text.
    """

    _esm = source("replay_bar.js")
    _css = source("replay_bar.css")
    epochs = traitlets.List(traitlets.Int()).tag(sync=True)
    epoch = traitlets.Int(0).tag(sync=True)
    note = traitlets.Unicode("").tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        self._show: Callable[[int], object] | None = None
        super().__init__(**traits)
        self.on_msg(self._hear)

    def offer(self, epochs: Iterable[int], show: Callable[[int], object], note: str = "") -> None:
        """Offer these epochs; ``show(epoch)`` is called when one is asked for."""
        self._show = show
        with self.hold_sync():
            self.epochs = list(epochs)
            self.epoch = self.epochs[-1] if self.epochs else 0
            self.note = note

    def _hear(self, _: Any, content: dict[str, Any], buffers: list[memoryview]) -> None:
        if content.get("type") == "epoch" and self._show is not None:
            self.epoch = int(content["epoch"])
            self._show(self.epoch)
