"""Charts in a page of their own."""

from __future__ import annotations

import base64
import json
import re

from hcat_nb.charts.page import chart_html, charts_script
from hcat_nb.charts.picture import spec_picture

BAD = "</script><b onclick=x>elm</b>"
SPEC = {
    "description": f'a "chart" of {BAD}',
    "data": {"values": [{"x": 1, "name": BAD}]},
    "mark": "point",
    "encoding": {"x": {"field": "x", "type": "quantitative"}},
}


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
