from __future__ import annotations

import re
import threading
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import pytest

from hcat_nb.assets import asset
from hcat_nb.charts.coloring import by_truth
from hcat_nb.charts.data_map import CONFIDENCE, X_AXES, map_chart
from hcat_nb.errors import SpecError, UnknownNameError
from hcat_nb.jupyter.frames import Frame, encode, names, numbers, rows
from hcat_nb.jupyter.live_map import LiveMap
from hcat_nb.jupyter.map_scene import Bounds, MapScene

IDS = [f"s{i:03}" for i in np.random.default_rng(0).permutation(200)]
X = np.random.default_rng(1).random(200) / 2
Y = np.random.default_rng(2).random(200)
LIMIT = 60  # seconds until what hangs is given up; never an expectation
Sent = list[tuple[dict[str, Any], Any]]


def frame(epoch: int) -> Frame:
    points = {"points": {"x": numbers(np.zeros(2), 1.0)}}
    return encode(epoch, {"heading": f"epoch {epoch}"}, points)


def scene() -> MapScene:
    axis = X_AXES["variability"]
    made = MapScene(
        pd.Index(IDS),
        axis,
        CONFIDENCE,
        chart=lambda coloring, caption, n: map_chart(
            axis, coloring, title="t", caption=caption, n_points=n, live=True
        ),
        color=lambda x, y: by_truth(y < 0.1),
    )
    made.move(1, "epoch 1", X, Y)
    return made


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    messages: Sent = []
    monkeypatch.setattr(
        LiveMap, "send", lambda _, content, buffers=None: messages.append((content, buffers))
    )
    return messages


def hear(live: LiveMap, **content: Any) -> None:
    live._handle_custom_msg(content, [])


def marked(message: tuple[dict[str, Any], Any]) -> set[str]:
    return {row["id"] for row in rows(Frame(*message))["selected"]}


def test_its_traits_are_what_the_page_reads() -> None:
    read = set(re.findall(r'model\.get\("(\w+)"\)', asset("live_map.js").read_text()))
    own = {name for name in LiveMap.class_own_traits(sync=True) if not name.startswith("_")}
    assert own == read - {"_vega"} == {"spec", "fit", "tips"}


def test_a_view_that_is_ready_gets_the_newest_state(sent: Sent) -> None:
    live = LiveMap()
    hear(live, type="ready")
    assert sent == []
    live.show(lambda: frame(1))
    live.show(lambda: frame(2))
    hear(live, type="ready")
    assert [content["epoch"] for content, _ in sent] == [1, 2, 2]
    assert [content["seq"] for content, _ in sent] == [1, 2, 2]
    assert sent[-1][1] == frame(2).buffers


def test_a_view_that_is_ready_gets_what_partial_frames_left(sent: Sent) -> None:
    live = LiveMap()
    live.show(lambda: frame(1))
    live.show(lambda: encode(1, {"caption": "c"}, {"selected": {"id": names(["a"])}}))
    hear(live, type="ready")
    content, buffers = sent[-1]
    assert rows(Frame(content, buffers)) == {
        "points": [{"x": 0.0}, {"x": 0.0}],
        "selected": [{"id": "a"}],
    }
    assert content["signals"] == {"heading": "epoch 1", "caption": "c"}


def test_a_large_frame_is_sent_in_parts(sent: Sent) -> None:
    live = LiveMap()
    n = 300_000
    x = np.random.default_rng(0).random(n)
    columns = {"x": numbers(x, 1.0), "id": names([f"sample {i}" for i in range(3 * n)][:n])}
    columns |= {f"y{k}": numbers(x, 1.0) for k in range(8)}
    large = encode(1, {}, {"points": columns})
    assert live.show(lambda: large) == large.size > 8_000_000
    assert [content["type"] for content, _ in sent] == ["part", "part", "frame"]
    assert all(sum(map(len, buffers)) < 10_000_000 for _, buffers in sent)


def test_states_are_no_traits(sent: Sent) -> None:
    live = LiveMap()
    before = set(live.get_state())
    live.show(lambda: frame(1))
    assert set(live.get_state()) == before


def test_the_time_of_drawing_is_handed_on() -> None:
    heard: list[float] = []
    hear(LiveMap(on_drawn=heard.append), type="ack", seq=1, draw_ms=250)
    assert heard == [0.25]


def test_a_brush_arrives_as_bounds_and_selects_ids(sent: Sent) -> None:
    live = LiveMap(scene())
    heard: list[Bounds | None] = []
    live.on_brush(heard.append)
    hear(live, type="brush", bounds={"x": [0.4, 0.1], "y": [0.2, 0.8]})  # dragged to the left
    hear(live, type="brush", bounds=None)
    assert heard == [Bounds((0.1, 0.4), (0.2, 0.8)), None]
    assert heard[0] is not None
    inside = (X >= 0.1) & (X <= 0.4) & (Y >= 0.2) & (Y <= 0.8)
    assert live.inside(heard[0]).tolist() == pd.Index(IDS)[inside].tolist()
    live.on_brush(heard.append, remove=True)
    hear(live, type="brush", bounds=None)
    assert len(heard) == 2


def test_the_brush_can_be_taken_away(sent: Sent) -> None:
    LiveMap().clear_brush()
    assert [content for content, _ in sent if content.get("type") == "unbrush"]


def test_a_click_arrives_as_the_users_id(sent: Sent) -> None:
    live = LiveMap(scene())
    heard: list[str] = []
    live.on_pick(heard.append)
    hear(live, type="pick", row=17)
    assert heard == [IDS[17]]


def test_three_points_are_selected_by_their_ids(sent: Sent) -> None:
    live = LiveMap(scene())
    three = ["s003", "s150", "s042"]
    live.select(three)
    assert set(live.selected) == set(three)
    assert marked(sent[-1]) == set(three)
    assert "points" not in rows(Frame(*sent[-1]))  # no need to send them again
    with pytest.raises(UnknownNameError, match="'s999'"):
        live.select(["s999"])
    assert set(live.selected) == set(three)


def test_filter_and_selection_outlive_a_new_colour_and_a_new_epoch(sent: Sent) -> None:
    live = LiveMap(scene())
    kept = IDS[:50]
    live.show_only(kept)
    live.select(kept[:10])
    before = live.spec["layer"]
    live.recolor(pd.Series(X, name="vog"))
    assert live.spec["layer"] != before
    live.scene.move(2, "epoch 2", X[::-1].copy(), Y)
    live.redraw()
    assert marked(sent[-1]) == set(kept[:10])
    assert {row["id"] for row in rows(Frame(*sent[-1]))["points"]} == set(kept)
    live.recolor(None)
    assert live.spec["layer"] == before
    live.show_only(None)
    assert len(rows(Frame(*sent[-1]))["points"]) == 200


class Asked:
    """A lock that tells that somebody waits for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.waited_for = threading.Event()

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            self.waited_for.set()
            self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def test_a_selection_made_while_an_epoch_is_drawn_is_shown_last(sent: Sent) -> None:
    live = LiveMap(scene())
    live._lock = asked = Asked()  # type: ignore[assignment]
    users = threading.Thread(target=live.select, args=(["s003"],))

    def epoch() -> Frame:
        made = live.scene.frame()  # knows of no selection
        users.start()
        assert asked.waited_for.wait(LIMIT)  # the selection is made, and not sent
        assert len(live.scene.selected)
        return made

    live.show(epoch)
    users.join()
    assert marked(sent[-1]) == {"s003"}


def test_a_map_without_a_scene_says_so() -> None:
    with pytest.raises(SpecError, match="shows nothing yet"):
        LiveMap().select(["s001"])


def test_the_users_transformers_stay(sent: Sent) -> None:
    before = (alt.data_transformers.active, dict(alt.data_transformers.options))
    LiveMap(scene())
    assert (alt.data_transformers.active, dict(alt.data_transformers.options)) == before


def test_a_sample_under_the_pointer_is_told_of_where_somebody_knows_it(sent):
    live = LiveMap(tip=lambda row: ({"row": row, "text": "oak"}, [b"png"]))
    assert live.tips
    hear(live, type="hover", row=7)
    assert sent[-1] == ({"row": 7, "text": "oak", "type": "tip"}, [b"png"])
    assert not LiveMap().tips
