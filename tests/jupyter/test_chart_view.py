from __future__ import annotations

import json
import re
from typing import Any

import pandas as pd
import pytest

from hcat_nb.assets import asset
from hcat_nb.charts.curves import curves
from hcat_nb.jupyter.chart_view import ChartView


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    monkeypatch.setattr(ChartView, "send", lambda _, content: messages.append(content))
    return messages


def _chart(n: int) -> Any:
    return curves(
        pd.DataFrame({"loss": [1.0] * n, "accuracy": [0.5] * n}, index=range(1, n + 1))
    ).to_dict()


def test_it_reads_no_trait_and_has_none_that_a_notebook_would_save(
    sent: list[dict[str, Any]],
) -> None:
    assert not re.findall(r"model\.get\(", asset("chart_view.js").read_text())
    view = ChartView()
    view.show(_chart(3))
    assert not {name for name in ChartView.class_own_traits(sync=True) if not name.startswith("_")}
    assert "vega-lite/v" not in json.dumps(
        {name: value for name, value in view.get_state().items() if isinstance(value, dict)}
    )


def test_a_new_view_gets_the_newest_chart(sent: list[dict[str, Any]]) -> None:
    view = ChartView()
    view._handle_custom_msg({"type": "ready"}, [])
    assert sent == []
    view.show(_chart(1))
    view.show(_chart(2))
    view._handle_custom_msg({"type": "ready"}, [])
    assert [one["seq"] for one in sent] == [1, 2, 2]
    assert sent[-1] == sent[-2]
    assert "2 epochs" in sent[-1]["spec"]["description"]
    json.dumps(sent)


def test_vega_is_on_board(sent: list[dict[str, Any]]) -> None:
    module = str(ChartView()._esm)
    assert module.endswith(asset("chart_view.js").read_text())
    assert "hcatVegaEmbed" in module
    assert not re.search(r"""^\s*import\s|from\s*["']https?:""", module, re.MULTILINE)
