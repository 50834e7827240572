"""The Python half of ``widgets/src/run_monitor.js``: how far a run is."""

from __future__ import annotations

import anywidget  # noqa: TID253 - this module is imported when a widget is wanted
import traitlets

from hcat_nb.assets import asset

__all__ = ["RunMonitor"]


class RunMonitor(anywidget.AnyWidget):
    """A progress bar and a line of text.

    Attributes
    ----------
    share : float
        Part of the run that is done, in [0, 1].
    line : str
        Epoch, loss, accuracy, time left; shown as text, never as HTML.
    outcome : str
        "running", "finished", "stopped" or "failed".
    """

    _esm = asset("run_monitor.js")
    _css = asset("run_monitor.css")
    share = traitlets.Float(0.0).tag(sync=True)
    line = traitlets.Unicode("").tag(sync=True)
    outcome = traitlets.Unicode("running").tag(sync=True)
