"""Charts in a page of their own: drawn by the browser, with Vega inside the page.

Where scripts are off, or before they ran, each chart is its picture.
"""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Mapping
from typing import Any

from hcat_nb.charts.picture import spec_picture, vega_lite_version

__all__ = ["chart_html", "charts_script"]

_CLASS = "hcat-chart"
# The picture stays where Vega fails; the reason stands in the console.  vega-embed takes a
# specification that has neither a schema nor a word that it knows ("concat") for Vega.
_START = f"""
for (const place of document.querySelectorAll(".{_CLASS}")) {{
  const spec = JSON.parse(place.querySelector("script").textContent);
  const live = document.createElement("div");
  place.append(live);
  vegaEmbed(live, spec, {{ mode: "vega-lite", renderer: "svg", actions: false }}).then(
    () => place.querySelector("img").remove(),
    (error) => console.error(error),
  );
}}
"""


def chart_html(spec: Mapping[str, Any], png: bytes | None = None) -> str:
    """Return a chart as HTML, to be drawn by :func:`charts_script`.

    Parameters
    ----------
    spec : mapping
        Vega-Lite, without a URL.
    png : bytes, optional
        Its picture, if there is one already.
    """
    picture = base64.b64encode(png or spec_picture(dict(spec))).decode()
    # "<" would let the text of a class name end the script.
    text = json.dumps(spec, ensure_ascii=False).replace("<", "\\u003c")
    words = html.escape(str(spec.get("description", "chart")), quote=True)
    return (
        f'<div class="{_CLASS}"><script type="application/json">{text}</script>'
        f'<img alt="{words}" src="data:image/png;base64,{picture}"></div>'
    )


def charts_script() -> str:
    """Return the script element that draws the charts above it: Vega, and a start of it."""
    import vl_convert

    code: str = vl_convert.javascript_bundle(
        f"globalThis.vegaEmbed = vegaEmbed;{_START}", vl_version=vega_lite_version()
    )
    # "</script" within a text of the bundle would end it.
    return f'<script type="module">{code.replace("</script", "<" + chr(92) + "/script")}</script>'
