"""The Python half of ``widgets/src/sample_detail.js``: the evidence card of one sample."""

from __future__ import annotations

from typing import Any

import anywidget  # noqa: TID253 - this module is imported when a widget is wanted
import traitlets

from hcat_nb.assets import source


class SampleDetail(anywidget.AnyWidget):
    """A sample: what speaks for and against its label.

    Attributes
    ----------
    card : dict
        Made by :func:`hcat_nb.jupyter.review.evidence_card.card`; all of it is shown as text.
    picture, small : bytes
        The image as it is on disk and as the network saw it, or that alone; or empty.
    near : bytes
        The neighbours, side by side; or empty.
    """

    _esm = source("sample_detail.js")
    _css = source("sample_detail.css")
    card: Any = traitlets.Dict({"heading": ""}).tag(sync=True)
    picture = traitlets.Bytes(b"").tag(sync=True)
    small = traitlets.Bytes(b"").tag(sync=True)
    near = traitlets.Bytes(b"").tag(sync=True)
