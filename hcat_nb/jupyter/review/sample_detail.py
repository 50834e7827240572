"""The Python half of ``widgets/src/sample_detail.js``: the evidence card of one sample."""

from __future__ import annotations

from typing import Any

import anywidget  # noqa: TID253 - this module is imported when a widget is wanted
import traitlets

from hcat_nb.assets import source


class SampleDetail(anywidget.AnyWidget):
    """A sample: what speaks for and against its label."""

    _esm = source("sample_detail.js")
    _css = source("sample_detail.css")
    card: Any = traitlets.Dict({"heading": ""}).tag(sync=True)  # evidence_card.card's; all is text
    picture = traitlets.Bytes(b"").tag(sync=True)  # the image as it is on disk, or ...
    small = traitlets.Bytes(b"").tag(sync=True)  # ... as the network saw it
    near = traitlets.Bytes(b"").tag(sync=True)  # the neighbours, side by side
