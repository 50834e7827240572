"""A chart as a small PNG, which a notebook shows without a kernel, and in a page with Vega."""

from __future__ import annotations

import base64
import html
import io
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import altair as alt

_COLORS = 64  # palette entries: a data map of 60,000 samples stays below 50 kB
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


def picture(chart: alt.TopLevelMixin, *, scale: float = 1.0, colors: int = _COLORS) -> bytes:
    """Return the chart as PNG on white, reduced to a palette of 2 to 256 colours."""
    return spec_picture(chart.to_dict(), scale=scale, colors=colors)


def spec_picture(spec: dict[str, Any], *, scale: float = 1.0, colors: int = _COLORS) -> bytes:
    """Return a Vega-Lite specification as PNG; see :func:`picture`."""
    import vl_convert
    from PIL import Image

    png = vl_convert.vegalite_to_png(on_white(spec), vl_version=vega_lite_version(), scale=scale)
    image = Image.open(io.BytesIO(png)).convert("RGB")
    # The octree keeps colours that only the legend shows; median cut merges them.
    small = image.quantize(colors, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    buffer = io.BytesIO()
    small.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def filled(
    spec: dict[str, Any], datasets: Mapping[str, list[Any]], parameters: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a copy of ``spec`` with rows for its named datasets and values for its parameters.

    Parameters that the specification does not have are left out.
    """
    params = [
        {**one, "value": parameters[one["name"]]} if one["name"] in parameters else one
        for one in spec.get("params", [])
    ]
    return {**spec, "params": params, "datasets": {**spec.get("datasets", {}), **datasets}}


def on_white(spec: dict[str, Any]) -> dict[str, Any]:
    """Return a specification whose text can be read on a dark page too, where no theme reaches."""
    return {**spec, "config": {**spec.get("config", {}), "background": "white"}}


def vega_lite_version() -> str:
    """Return the version of Vega-Lite that Altair writes, as vl-convert spells it: ``"6_1"``."""
    import altair as alt

    return "_".join(alt.SCHEMA_VERSION.lstrip("v").split(".")[:2])


def chart_html(spec: Mapping[str, Any], png: bytes | None = None) -> str:
    """Return a chart without a URL as HTML, to be drawn by :func:`charts_script`."""
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
