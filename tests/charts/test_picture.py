from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from hcat_nb.charts.data_map import data_map
from hcat_nb.charts.picture import chart_html, charts_script, on_white, picture, spec_picture
from hcat_nb.charts.theme import TRUTH

BAD = "</script><b onclick=x>elm</b>"
SPEC = {
    "description": f'a "chart" of {BAD}',
    "data": {"values": [{"x": 1, "name": BAD}]},
    "mark": "point",
    "encoding": {"x": {"field": "x", "type": "quantitative"}},
}


@pytest.mark.parametrize("color", ["group", "truth", "label", "aum"])
def test_60_000_samples_take_less_than_50_kb(
    make_details: Callable[..., pd.DataFrame], color: str
) -> None:
    assert len(picture(data_map(make_details(60_000), color=color))) < 50_000


def test_the_picture_shows_the_colours_on_white(
    make_details: Callable[..., pd.DataFrame],
) -> None:
    png = picture(data_map(make_details(2000), color="truth"))
    image = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)
    assert image[0, 0].tolist() >= [250, 250, 250]  # the palette moves white by a step
    for color in TRUTH.values():
        wanted = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
        # the palette moves a colour by a few steps of 255
        assert (np.abs(image - wanted).max(axis=2) < 25).sum() > 50


def test_white_is_laid_under_a_copy() -> None:
    spec = {"config": {"background": "transparent", "font": "serif"}}
    assert on_white(spec) == {"config": {"background": "white", "font": "serif"}}
    assert spec["config"]["background"] == "transparent"


def test_text_of_the_data_ends_no_element() -> None:
    made = chart_html(SPEC)
    assert made.count("</script>") == 1
    assert "<b" not in made
    (text,) = re.findall(r'<script type="application/json">(.*?)</script>', made, re.S)
    assert json.loads(text) == SPEC


def test_without_scripts_the_picture_is_seen() -> None:
    made = chart_html(SPEC)
    assert made.count('<img alt="a &quot;chart&quot; of') == 1
    drawn, given = (base64.b64encode(one).decode() for one in (spec_picture(SPEC), b"made before"))
    assert f'src="data:image/png;base64,{drawn}"' in made
    assert f'src="data:image/png;base64,{given}"' in chart_html(SPEC, b"made before")


def test_the_script_holds_vega_and_fetches_nothing() -> None:
    script = charts_script()
    assert script.startswith('<script type="module">')
    assert script.count("</script") == 1
    assert "hcat-chart" in script
    assert len(script) > 500_000  # Vega, Vega-Lite and their embedding
    assert not re.search(r"""(import|src)\s*\(?=?\s*["'](https?:)?//""", script)
