from __future__ import annotations

import base64
import json
from collections.abc import Callable

import altair as alt
import pandas as pd

from hcat_nb.charts.data_map import data_map


def test_the_output_names_no_other_machine(make_details: Callable[..., pd.DataFrame]) -> None:
    chart = data_map(make_details(50))
    assert isinstance(chart, alt.LayerChart)
    data, metadata = chart._repr_mimebundle_()
    assert set(data) == {"application/vnd.vegalite.v5+json", "image/png", "text/plain"}
    assert base64.b64decode(data["image/png"])[:4] == b"\x89PNG"
    spec = data["application/vnd.vegalite.v5+json"]
    schema = spec.pop("$schema")  # names the grammar; it is not fetched
    assert schema == "https://vega.github.io/schema/vega-lite/v5.json"
    assert "http" not in json.dumps(spec)
    assert data["text/plain"] == "<data map: 50 samples>"
    # The page's own text colour, which only an SVG takes over when the theme changes.
    assert {"name": "ink", "value": "currentColor"} in spec["params"]
    assert spec["config"]["background"] == "transparent"
    assert metadata == {"application/vnd.vegalite.v5+json": {"embed_options": {"renderer": "svg"}}}


def test_a_changed_chart_is_offline_too(make_details: Callable[..., pd.DataFrame]) -> None:
    data, _ = data_map(make_details(5)).properties(width=200)._repr_mimebundle_()
    assert data["application/vnd.vegalite.v5+json"]["width"] == 200
