from __future__ import annotations

import json
import re
from typing import Any

import pandas as pd
import pytest

from hcat_nb.charts.curves import curves
from hcat_nb.jupyter.chart_view import ChartView
from hcat_nb.jupyter.live_map import LiveMap
from hcat_nb.jupyter.vega_bundle import vega_bundle


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    monkeypatch.setattr(ChartView, "send", lambda _, content: messages.append(content))
    return messages


def _chart(n: int) -> Any:
    return curves(
        pd.DataFrame({"loss": [1.0] * n, "accuracy": [0.5] * n}, index=range(1, n + 1))
    ).to_dict()


def test_it_reads_vega_alone_and_has_none_that_a_notebook_would_save(
    sent: list[dict[str, Any]],
) -> None:
    assert set(re.findall(r"model\.get\((.*?)\)", str(ChartView._esm))) == {'"_vega"'}
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


@pytest.mark.parametrize("widget", [ChartView, LiveMap])
def test_vega_is_on_board_and_not_in_what_has_to_load_at_once(widget: type[Any]) -> None:
    state = widget().get_state()
    assert state["_vega"] == vega_bundle()
    assert len(state["_esm"].encode()) < 40_000  # with what it shares; Vega has 900,000
