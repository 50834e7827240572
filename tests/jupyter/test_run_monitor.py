from __future__ import annotations

import re
from typing import Any

import pytest

from hcat_nb.assets import asset
from hcat_nb.jupyter.run_monitor import RunMonitor
from hcat_nb.training.events import Control


def test_its_traits_are_what_the_page_reads() -> None:
    read = set(re.findall(r'model\.get\("(\w+)"\)', asset("run_monitor.js").read_text()))
    own = {name for name in RunMonitor.class_own_traits(sync=True) if not name.startswith("_")}
    assert own == read
    assert own >= {"share", "line", "outcome"}


@pytest.fixture
def monitor() -> RunMonitor:
    made = RunMonitor()
    made.obey(Control())
    return made


def hear(monitor: RunMonitor, kind: str) -> None:
    content: dict[str, Any] = {"type": kind}
    monitor._handle_custom_msg(content, [])


def test_a_monitor_that_obeys_nothing_shows_no_button_and_hears_nothing() -> None:
    made = RunMonitor()
    hear(made, "stop")
    assert [made.buttons, made.stopping, made.hears] == [False, False, False]


def test_stop_and_pause_reach_the_run(monitor: RunMonitor) -> None:
    control = monitor._control
    assert control is not None
    assert monitor.buttons
    hear(monitor, "ready")
    assert monitor.hears
    hear(monitor, "pause")
    assert monitor.paused
    assert not control.resume.is_set()
    hear(monitor, "resume")
    assert not monitor.paused
    assert control.resume.is_set()
    assert not control.stop.is_set()
    hear(monitor, "stop")
    assert monitor.stopping
    assert control.stop.is_set()


def test_what_arrives_after_the_end_is_too_late(monitor: RunMonitor) -> None:
    monitor.outcome = "finished"
    hear(monitor, "ready")
    hear(monitor, "stop")
    assert not monitor.hears
    assert monitor._control is not None
    assert not monitor._control.stop.is_set()
