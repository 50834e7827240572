"""The Python half of ``widgets/src/run_monitor.js``: how far a run is, and Pause and Stop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anywidget  # noqa: TID253 - this module is imported when a widget is wanted
import traitlets

from hcat_nb.assets import source
from hcat_nb.jupyter.kernel_routes import hear_while_busy, kernel_id

if TYPE_CHECKING:
    from hcat_nb.training.events import Control


class RunMonitor(anywidget.AnyWidget):
    """A progress bar, a line of text, and buttons once there is something to obey."""

    _esm = source("run_monitor.js")
    _css = source("run_monitor.css")
    share = traitlets.Float(0.0).tag(sync=True)
    line = traitlets.Unicode("").tag(sync=True)  # shown as text, never as HTML
    outcome = traitlets.Unicode("running").tag(sync=True)
    buttons = traitlets.Bool(False).tag(sync=True)
    # Whether a message of the page arrived while the run went on, so that the next one will, too.
    hears = traitlets.Bool(False).tag(sync=True)
    paused = traitlets.Bool(False).tag(sync=True)
    stopping = traitlets.Bool(False).tag(sync=True)
    # Id by which the page can ask the Jupyter server to interrupt the cell, where it is not heard.
    kernel = traitlets.Unicode("").tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self._control: Control | None = None
        self.on_msg(self._hear)

    def obey(self, control: Control) -> None:
        """Show the buttons, for a run whose cell blocks; they act on ``control``."""
        self._control = control
        hear_while_busy(self)
        with self.hold_sync():
            self.kernel = kernel_id()
            self.buttons = True

    def _hear(self, _: Any, content: dict[str, Any], buffers: list[memoryview]) -> None:
        """Act on a message; in any thread, for a subshell is one."""
        control = self._control
        if control is None or self.outcome != "running":
            return
        kind = content.get("type")
        if kind == "ready":
            self.hears = True
        elif kind == "stop":
            control.stop.set()
            self.stopping = True
        elif kind == "pause":
            control.resume.clear()
            self.paused = True
        elif kind == "resume":
            control.resume.set()
            self.paused = False
