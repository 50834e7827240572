"""A chart whose notebook output needs no network and outlives the kernel.

Altair's own output loads Vega from a CDN.  JupyterLab has Vega on board and
takes a specification by MIME type; everything else shows the picture.  The
page's theme is followed without a script: on a transparent ground, text of an
SVG in the colour ``currentColor`` is the text of the page, light or dark.
Imported by functions only, for it imports altair.
"""

from __future__ import annotations

import base64
from typing import Any

import altair as alt  # noqa: TID253

from hcat_nb.charts.picture import filled, picture

_VEGA_LITE = "application/vnd.vegalite.v5+json"


class _Offline:
    """What both kinds share: an output that names no other machine."""

    def _repr_mimebundle_(self, *args: Any, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        assert isinstance(self, alt.TopLevelMixin)
        spec = filled(self.to_dict(), {}, {"ink": "currentColor"})
        # JupyterLab 4 registers its renderer for version 5, and what our
        # charts use is the same in both.
        spec["$schema"] = "https://vega.github.io/schema/vega-lite/v5.json"
        data = {
            _VEGA_LITE: spec,
            "image/png": base64.b64encode(picture(self)).decode(),
            "text/plain": f"<{spec.get('description', 'chart')}>",
        }
        return data, {_VEGA_LITE: {"embed_options": {"renderer": "svg"}}}


class OfflineChart(_Offline, alt.LayerChart):
    """An ``altair.LayerChart`` that shows itself without a CDN."""


class OfflineConcat(_Offline, alt.ConcatChart):
    """An ``altair.ConcatChart``, several plots in rows, that shows itself without a CDN."""
