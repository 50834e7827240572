"""The Python half of ``widgets/src/sample_detail.js``: all that is known of one sample."""

from __future__ import annotations

from typing import Any

import anywidget  # noqa: TID253 - this module is imported when a widget is wanted
import traitlets

from hcat_nb.assets import source


class SampleDetail(anywidget.AnyWidget):
    """A sample: picture or text, facts, scores, and its way over the epochs.

    Attributes
    ----------
    heading : str
    text : str
        Shown as text, as all others are.
    facts : list of (str, str)
        Names and values.
    scores : list of (str, str, float or None)
        Method, score, and the share of samples that are easier, in [0, 1).
    trajectory : list of float or None
        The label's probability after each epoch; None where it was not seen.
    note : str
        Stands in place of a trajectory that there is not.
    picture : bytes
        PNG, or empty.
    """

    _esm = source("sample_detail.js")
    _css = source("sample_detail.css")
    heading = traitlets.Unicode("").tag(sync=True)
    text = traitlets.Unicode("").tag(sync=True)
    facts: Any = traitlets.List().tag(sync=True)
    scores: Any = traitlets.List().tag(sync=True)
    trajectory: Any = traitlets.List().tag(sync=True)
    note = traitlets.Unicode("").tag(sync=True)
    picture = traitlets.Bytes(b"").tag(sync=True)
