from __future__ import annotations

import subprocess
import sys
import threading
import time
from typing import Any

import numpy as np
import pytest

from hcat_nb.errors import SpecError
from hcat_nb.jupyter import screens
from hcat_nb.jupyter.frames import Frame, encode, numbers
from hcat_nb.jupyter.live_map import LiveMap
from hcat_nb.jupyter.progress import ProgressBar
from hcat_nb.jupyter.screens import StaticScreen, WidgetScreen, asked_from, open_screen
from hcat_nb.jupyter.static_view import StaticView
from hcat_nb.training.events import Control

RUNNING = ProgressBar("digits", "lenet", "cpu", n=10, n_epochs=4)
Shown = list[tuple[str, dict[str, Any]]]


def frame(epoch: int) -> Frame:
    return encode(
        epoch, {"heading": f"epoch {epoch}"}, {"points": {"x": numbers(np.zeros(2), 1.0)}}
    )


class Scene:
    """As much of a scene as a screen asks for."""

    def spec(self) -> dict[str, Any]:
        return {"mark": "point"}


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Epochs of the frames that were sent to the page."""
    epochs: list[int] = []
    monkeypatch.setattr(LiveMap, "show", lambda _, make: epochs.append(make().content["epoch"]))
    return epochs


def request(monkeypatch: pytest.MonkeyPatch, content: dict[str, Any], cell: str = "c1") -> None:
    made = {"content": content, "metadata": {"cellId": cell}}
    monkeypatch.setattr(screens, "_request", lambda: made)


def test_outside_a_kernel_nothing_is_shown() -> None:
    assert open_screen("auto") is None
    assert open_screen("none") is None


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ({"allow_stdin": False}, StaticScreen),
        ({"allow_stdin": True}, WidgetScreen),
        ({}, WidgetScreen),
    ],
)
def test_the_request_tells_whether_a_person_watches(
    content: dict[str, Any], kind: type, monkeypatch: pytest.MonkeyPatch, displayed: Shown
) -> None:
    request(monkeypatch, content)
    screen = open_screen("auto")
    assert type(screen) is kind
    screen.discard()


def test_who_asks_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked_from() == ("none", None)
    request(monkeypatch, {"allow_stdin": True}, "c7")
    assert asked_from() == ("widget", "c7")
    request(monkeypatch, {"allow_stdin": False}, "c7")
    assert asked_from() == ("static", "c7")


def test_an_unknown_display_is_told() -> None:
    with pytest.raises(SpecError, match="display is 'png'"):
        open_screen("png")  # type: ignore[arg-type]


def test_without_a_front_end_one_output_is_updated(displayed: Shown) -> None:
    screen = StaticScreen()
    screen.update(RUNNING)
    screen.move_map(lambda: pytest.fail("nobody watches"))
    screen.finish(RUNNING, StaticView("over", png=b"png"))
    assert [how for how, _ in displayed][:2] == ["new", "update"]
    assert displayed[-1][1]["text/plain"] == "over"
    assert "application/vnd.jupyter.widget-view+json" not in {
        kind for _, data in displayed for kind in data
    }


def test_two_outputs_one_after_the_other(displayed: Shown, sent: list[int]) -> None:
    screen = WidgetScreen()
    screen.update(RUNNING)
    screen.start_map(Scene())  # type: ignore[arg-type]
    screen.move_map(lambda: frame(1))
    screen.move_map(lambda: frame(2))
    screen.finish(RUNNING, StaticView("over", png=b"png"))
    assert [how for how, _ in displayed] == ["new", "new", "update"]
    assert list(displayed[0][1]) == ["application/vnd.jupyter.widget-view+json"]
    assert "text/html" in displayed[1][1]
    assert sent[-1] == 2
    assert screen._map is not None
    assert screen._map.spec == {"mark": "point"}
    screen.close()


def test_epochs_are_offered_when_the_run_is_over(displayed: Shown, sent: list[int]) -> None:
    screen = WidgetScreen()
    screen.start_map(Scene())  # type: ignore[arg-type]
    screen.move_map(lambda: frame(2))
    screen.offer_epochs([1, 2], frame, "all")
    screen.finish(RUNNING, StaticView("over"))
    assert screen._replay is not None
    assert (screen._replay.epochs, screen._replay.note) == ([1, 2], "all")
    screen._replay._handle_custom_msg({"type": "epoch", "epoch": 1}, [])
    assert sent == [2, 1]
    screen.close()


def test_no_thread_is_left(displayed: Shown, sent: list[int]) -> None:
    before = set(threading.enumerate())
    screen = WidgetScreen()
    screen.start_map(Scene())  # type: ignore[arg-type]
    for epoch in range(5):
        screen.update(RUNNING)
        screen.move_map(lambda epoch=epoch: frame(epoch))
    screen.finish(RUNNING, StaticView("over"))
    screen.close()
    deadline = time.monotonic() + 5
    while set(threading.enumerate()) - before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert set(threading.enumerate()) <= before


def test_a_map_that_cannot_be_made_is_told_to_the_caller(displayed: Shown) -> None:
    class Broken:
        def spec(self) -> dict[str, Any]:
            raise RuntimeError("no such field")

    screen = WidgetScreen()
    screen.start_map(Broken())  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="no such field"):
        screen.finish(RUNNING, StaticView("over"))
    assert displayed[-1][1]["text/plain"] == "over"
    screen.close()


def test_running_a_cell_again_closes_what_it_showed(
    displayed: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ipywidgets.widgets import widget as registry

    before = set(registry._instances)
    made = []
    for cell in ("c1", "c2", "c1"):
        request(monkeypatch, {"allow_stdin": True}, cell)
        made.append(open_screen("auto"))
        made[-1].finish(RUNNING, StaticView("over"))
    alive = [one._box.comm is not None for one in made]
    assert alive == [False, True, True]
    for one in made[1:]:
        one.close()
    assert set(registry._instances) == before


def test_a_run_that_did_not_begin_leaves_an_empty_output(displayed: Shown) -> None:
    screen = WidgetScreen()
    screen.discard()
    assert displayed[-1] == ("update", {"text/plain": "", "text/html": ""})
    assert screen._box.comm is None


@pytest.mark.parametrize("kind", [StaticScreen, WidgetScreen])
def test_a_run_that_began_is_not_taken_away(kind: type, displayed: Shown) -> None:
    screen = kind()
    screen.start_map(Scene())
    screen.obey(Control())
    screen.discard()
    assert kind is StaticScreen or not screen._monitor.buttons
    screen.finish(RUNNING, StaticView("failed after epoch 0/4"))
    assert displayed[-1][1]["text/plain"] == "failed after epoch 0/4"
    if kind is WidgetScreen:
        assert screen._box.comm is not None
        screen.close()


def test_a_place_of_its_own_shows_no_output_and_gets_no_picture(displayed: Shown) -> None:
    import ipywidgets

    place = ipywidgets.VBox()
    screen = WidgetScreen(place)
    assert len(place.children) == 1
    screen.finish(RUNNING, StaticView("over"))
    assert displayed == []
    screen.close()


def test_the_monitor_of_a_screen_obeys() -> None:
    import ipywidgets

    screen = WidgetScreen(ipywidgets.VBox())
    assert not screen._monitor.buttons
    screen.obey(Control())
    assert screen._monitor.buttons
    screen.discard()


def test_altair_and_scikit_learn_are_not_loaded_into_each_other() -> None:
    """Python fails one of two threads that load narwhals at once, which the two lean on."""
    script = (
        "import sys\nfrom hcat_nb.jupyter import screens\nloaded = []\n"
        "screens.in_thread = lambda *_: loaded.extend(sys.modules)\n"
        "screens.WidgetScreen()\n"
        "print([name in loaded for name in ('narwhals.stable.v1', 'narwhals.stable.v2', 'altair')])"
    )
    made = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert made.stdout.splitlines()[-1] == "[True, True, False]"
