from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from hcat_nb.assets import asset
from hcat_nb.jupyter.frames import Frame, encode, numbers
from hcat_nb.jupyter.live_map import LiveMap


def frame(epoch: int) -> Frame:
    return encode(epoch, f"epoch {epoch}", {"points": {"x": numbers(np.zeros(2), 1.0)}})


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> tuple[LiveMap, list[tuple[dict[str, Any], Any]]]:
    sent: list[tuple[dict[str, Any], Any]] = []
    made = LiveMap()
    monkeypatch.setattr(
        LiveMap, "send", lambda _, content, buffers=None: sent.append((content, buffers))
    )
    return made, sent


def hear(live: LiveMap, **content: Any) -> None:
    live._handle_custom_msg(content, [])


def test_its_traits_are_what_the_page_reads() -> None:
    read = set(re.findall(r'model\.get\("(\w+)"\)', asset("live_map.js").read_text()))
    own = {name for name in LiveMap.class_own_traits(sync=True) if not name.startswith("_")}
    assert own == read == {"spec"}


def test_a_view_that_is_ready_gets_the_newest_state(live: Any) -> None:
    widget, sent = live
    hear(widget, type="ready")
    assert sent == []
    widget.show(frame(1))
    widget.show(frame(2))
    hear(widget, type="ready")
    assert [content["epoch"] for content, _ in sent] == [1, 2, 2]
    assert [content["seq"] for content, _ in sent] == [1, 2, 2]
    assert sent[-1][1] == frame(2).buffers


def test_states_are_no_traits(live: Any) -> None:
    widget, _ = live
    before = set(widget.get_state())
    widget.show(frame(1))
    assert set(widget.get_state()) == before


def test_the_time_of_drawing_is_handed_on() -> None:
    heard: list[float] = []
    hear(LiveMap(on_drawn=heard.append), type="ack", seq=1, draw_ms=250)
    assert heard == [0.25]
