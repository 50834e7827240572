"""A finished run is never lost to its screen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from ipywidgets import Widget

import hcat_nb
from hcat_nb.jupyter.listener import LiveListener
from hcat_nb.training.events import EpochEvent, StartEvent

Shown = list[tuple[str, dict[str, Any]]]
SMALL = "--epochs 2 --methods aum el2n --seed 0"


@pytest.fixture(scope="module", autouse=True)
def _own_cache(own_cache: Path) -> None:
    """Let no test of this file use another one."""


def run_cell(shell: InteractiveShell, code: str) -> None:
    shell.run_cell(code).raise_error()


def gone(*_: Any, **__: Any) -> None:
    raise BrokenPipeError("the front end is gone")


@pytest.mark.parametrize("moment", ["on_start", "on_epoch", "on_end"])
def test_a_comm_that_breaks_mid_run_costs_the_view_and_not_the_run(
    moment: str, shell: InteractiveShell, displayed: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = getattr(LiveListener, moment)

    def leaves(self: LiveListener, event: StartEvent | EpochEvent) -> None:
        monkeypatch.setattr(Widget, "_send", gone)
        heard(self, event)

    monkeypatch.setattr(LiveListener, moment, leaves)
    with pytest.warns(RuntimeWarning, match="BrokenPipeError: the front end is gone"):
        run_cell(shell, f"run = %hcat_train wine --display widget {SMALL}")
    assert len(shell.user_ns["run"].history) == 2
    assert hcat_nb.last_run is shell.user_ns["run"]


@pytest.mark.parametrize(
    "broken",
    ["hcat_nb.jupyter.run_monitor.RunMonitor.__init__", "hcat_nb.jupyter.screens.live_output"],
)
def test_without_widgets_a_run_shows_its_static_view(
    broken: str, shell: InteractiveShell, displayed: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broken, gone)
    with pytest.warns(RuntimeWarning, match="the live view failed.*front end is gone"):
        run_cell(shell, f"run = %hcat_train wine --display widget {SMALL}")
    assert len(shell.user_ns["run"].history) == 2
    assert "image/png" in displayed[-1][1]


def test_a_run_that_cannot_be_shown_at_all_is_trained(
    shell: InteractiveShell, displayed: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    import IPython.core.display_functions as functions

    monkeypatch.setattr(functions, "publish_display_data", gone)
    with pytest.warns(RuntimeWarning, match="the view of the run failed"):
        run_cell(shell, f"run = %hcat_train wine --display static {SMALL}")
    assert len(shell.user_ns["run"].history) == 2


def test_a_view_of_before_that_cannot_be_closed_stops_no_run(
    shell: InteractiveShell, displayed: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = f"run = %hcat_train wine --display widget {SMALL}"
    run_cell(shell, line)
    first = shell.user_ns["run"]
    with monkeypatch.context() as patched:
        patched.setattr("hcat_nb.jupyter.screens.WidgetScreen.close", gone)
        with pytest.warns(RuntimeWarning, match="closing the view before failed"):
            run_cell(shell, line)
    assert shell.user_ns["run"] is not first
