"""The panel in a real shell, without a browser."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell
from ipywidgets.widgets.widget import _instances
from torch import nn

import hcat_nb
from hcat_nb.api.characterize import characterize
from hcat_nb.api.resume import resume
from hcat_nb.errors import SpecError
from hcat_nb.fields import USERS_OWN
from hcat_nb.jupyter import panels
from hcat_nb.jupyter.training_thread import alone
from hcat_nb.magics.parser import MagicCall
from hcat_nb.magics.setup_panel import SetupPanel
from hcat_nb.training.events import Control

LIMIT = 300.0  # seconds until a hanging test is given up
SMALL = "--hardness uniform --p 0.1 --epochs 2 --methods aum el2n --seed 0"


def small_frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(200, 4)), columns=list("abcd"))
    return table.assign(kind=np.where(table.a > 0, "oak", "elm"))


@pytest.fixture
def make(shell: InteractiveShell) -> Iterator[Callable[[str], SetupPanel]]:
    made: list[SetupPanel] = []

    def open_one(line: str) -> SetupPanel:
        shell.run_cell(f"panel = %hcat_panel {line}").raise_error()
        made.append(shell.user_ns["panel"])
        return made[-1]

    yield open_one
    for panel in made:
        panel.close()
        assert panel.wait(LIMIT)


def wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + LIMIT
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_it_trains_what_the_plain_call_trains(make: Callable[[str], SetupPanel]) -> None:
    panel = make(f"digits {SMALL}")
    with torch.no_grad():  # of a cell; the thread has a mode of its own
        panel.train()
        assert panel.wait(LIMIT)
    assert panel.error is None
    assert panel.run is not None
    assert panel.run is hcat_nb.last_run
    plain = characterize(
        "digits", hardness="uniform", p=0.1, epochs=2, methods=["aum", "el2n"], seed=0
    )
    pd.testing.assert_frame_equal(panel.run.scores, plain.scores)  # same seed, same bits
    assert ".run of this panel" in panel._message.children[0].value
    assert "<Run" not in panel._message.children[0].value  # as text, not as an element


def test_its_audit_is_that_of_the_plain_call_and_its_result_leads_to_the_review(
    make: Callable[[str], SetupPanel],
) -> None:
    panel = make("wine --epochs 2 --methods aum el2n --seed 0")
    panel._audit_button.click()
    assert "copies of the data" in panel._message.children[0].value
    assert panel._audit_button.disabled
    assert panel.wait(LIMIT)
    assert panel.error is None
    assert panel.found is not None
    assert panel.found.run is panel.run is hcat_nb.last_run
    plain = hcat_nb.audit("wine", epochs=2, methods="aum el2n", seed=0)
    pd.testing.assert_frame_equal(panel.found.samples, plain.samples)  # same seed, same bits
    run_view = panel._live.children[0].children[0]
    words, button = run_view.children[-1].children
    assert "labels are doubted.</b>" in words.value
    assert "The network doubts" in words.value
    button.click()
    head = panel._live.children[0].children[1].children[0].children[0]
    assert "of 50 suspects reviewed" in head.value  # the queue of the audit, not of the run
    panel.train()
    assert panel.wait(LIMIT)
    assert panel.found is None


def test_a_panel_whose_options_were_refused_leaves_no_trace(shell: InteractiveShell) -> None:
    before = list(shell.events.callbacks["post_run_cell"])
    panel = SetupPanel.__new__(SetupPanel)
    with pytest.raises(SpecError, match="epochs is 0"):
        panel.__init__(shell, MagicCall(keywords={"data": "digits", "epochs": 0}))  # type: ignore[misc]
    panel.close()  # as Python does when it forgets the object
    assert shell.events.callbacks["post_run_cell"] == before


def test_the_shown_line_and_code_train_the_same(
    make: Callable[[str], SetupPanel], shell: InteractiveShell
) -> None:
    shell.user_ns |= {"trees": small_frame(), "net": nn.Linear(4, 2)}
    panel = make(f"trees --target kind --model net {SMALL}")
    panel.train()
    assert panel.wait(LIMIT)
    assert panel.run is not None
    spec = panel.run.spec
    shell.run_cell(panel.line).raise_error()
    by_line = shell.user_ns.pop("run")
    shell.run_cell(panel.code).raise_error()
    by_code = shell.user_ns.pop("run")
    assert by_line.spec == by_code.spec == spec == panel.spec
    pd.testing.assert_frame_equal(by_line.scores, panel.run.scores)
    pd.testing.assert_frame_equal(by_code.scores, panel.run.scores)


def test_pause_and_stop_work_while_it_trains(
    make: Callable[[str], SetupPanel], monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[bool] = []  # whether each began at once
    went_on: list[bool] = []  # whether it was allowed to

    def wait_while_paused(control: Control) -> None:
        batches.append(control.resume.is_set())
        whole(control)
        went_on.append(control.resume.is_set())

    whole = Control.wait_while_paused
    monkeypatch.setattr(Control, "wait_while_paused", wait_while_paused)
    panel = make("digits --epochs 5000 --methods aum --seed 0")
    panel._train_button.click()
    assert panel._train_button.disabled
    wait_until(lambda: panel._screen._monitor.share > 0)
    panel._pause_button.click()
    assert panel._pause_button.description == "Resume"
    wait_until(lambda: not batches[-1])  # after the batch that runs
    done, n_batches = len(batches) - 1, -(-1797 // panel.spec.batch_size)
    assert len(batches) == done + 1 == len(went_on) + 1
    assert panel._screen._monitor.share <= done / n_batches / 5000
    panel._pause_button.click()
    assert panel._pause_button.description == "Pause"
    wait_until(lambda: "epoch 0/" not in panel._screen._monitor.line)
    wait_until(lambda: panel._screen._map is not None)
    wait_until(lambda: "loss" in panel._screen._monitor.line)  # an epoch is over
    panel._stop_button.click()
    assert panel.wait(LIMIT)
    assert panel.run is not None
    assert panel.run.info["outcome"] == "stopped"
    assert len(panel.run.history) >= 1
    assert len(panel.run.scores) == 1797
    assert all(went_on)
    assert not panel._train_button.disabled
    assert panel._stop_button.disabled


def test_a_mistake_is_one_line_of_text_and_nothing_trains(
    make: Callable[[str], SetupPanel],
) -> None:
    panel = make("digits --seed 0")
    panel._form.controls["model_options"].widget.value = "<b>x</b>"
    assert panel.spec is None
    assert panel.line == panel.code == ""
    assert panel._train_button.disabled
    assert "&lt;b&gt;" in panel._message.children[0].value
    panel.train()
    assert panel.run is None
    panel._form.controls["model_options"].widget.value = ""
    assert panel.line.startswith("run = %hcat_train digits")
    assert not panel._train_button.disabled


def test_a_mistake_that_training_finds_is_told(make: Callable[[str], SetupPanel]) -> None:
    panel = make("digits --hardness atypical --epochs 1 --methods aum")
    panel.train()
    assert panel.wait(LIMIT)
    assert "does not apply to image data" in panel._message.children[0].value
    assert panel.run is None
    assert not panel._train_button.disabled


def test_a_defect_names_its_type_and_is_kept(
    make: Callable[[str], SetupPanel],
    shell: InteractiveShell,
    capfd: pytest.CaptureFixture[str],
) -> None:
    class Broken(nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if self.training:
                raise ZeroDivisionError("in my own model")
            return super().forward(x)

    shell.user_ns |= {"trees": small_frame(), "net": Broken(4, 2)}
    panel = make(f"trees --target kind --model net {SMALL}")
    capfd.readouterr()
    panel.train()
    assert panel.wait(LIMIT)
    assert isinstance(panel.error, ZeroDivisionError)
    assert "ZeroDivisionError: in my own model" in panel._message.children[0].value
    assert capfd.readouterr() == ("", "")


def test_variables_appear_as_cells_make_them(
    make: Callable[[str], SetupPanel], shell: InteractiveShell
) -> None:
    panel = make("digits")
    shell.user_ns["make_frame"] = small_frame
    shell.run_cell("late = make_frame()").raise_error()
    assert "late" in [value for _, value in panel._form.data.choice.options]


def test_previews_follow_the_controls_and_stay_away_from_training(
    make: Callable[[str], SetupPanel],
) -> None:
    panel = make("digits --hardness zoom_shift --p 0.1 --epochs 5000 --methods aum")
    assert panel._pane.jobs.join(LIMIT)
    first = panel._pane.page.value
    assert "by zoom_shift" in first
    panel._form.controls["hardness"].widget.value = "uniform"
    assert panel._pane.jobs.join(LIMIT)
    assert "by uniform" in panel._pane.page.value
    panel._form.controls["hardness"].widget.value = "atypical"
    assert panel._pane.jobs.join(LIMIT)
    assert "No preview: " in panel._pane.problem.children[0].value
    panel._form.controls["hardness"].widget.value = "uniform"
    panel.train()
    panel._form.controls["hardness"].widget.value = "crop_shift"
    assert panel._pane.jobs.join(LIMIT)
    assert "crop_shift" not in panel._pane.page.value
    assert (
        "of earlier choices" in panel._pane.problem.children[0].value
    )  # never an old truth without a word
    panel.stop()
    assert panel.wait(LIMIT)
    panel.refresh()  # as after the next cell
    assert panel._pane.jobs.join(LIMIT)
    assert "by crop_shift" in panel._pane.page.value


def test_costs_are_measured_on_demand(make: Callable[[str], SetupPanel]) -> None:
    panel = make(f"wine {SMALL}")
    panel._form.methods.button.click()
    assert panel._estimates.join(LIMIT)
    assert "about" in panel._form.methods.total.value
    assert "% of training" in panel._form.methods._costs["aum"].value


def test_a_saved_run_that_was_stopped_goes_on(
    make: Callable[[str], SetupPanel], tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    panel = make(f"digits --epochs 3 --methods aum el2n --seed 0 --out {folder}")
    assert f"--out {folder}" in panel.line
    assert "out=" in panel.code
    panel.train()
    wait_until(lambda: "loss" in panel._screen._monitor.line or panel.wait(0))
    panel.stop()
    assert panel.wait(LIMIT)
    assert panel.run is not None
    if panel.run.info["outcome"] == "stopped":
        assert len(resume(folder).history) == 3


def test_a_run_that_cannot_begin_leaves_no_bar(make: Callable[[str], SetupPanel]) -> None:
    panel = make(f"wine {SMALL}")
    with alone():
        panel.train()
        assert panel.wait(LIMIT)
    wait_until(lambda: panel._screen._box.comm is None)  # after the training is over
    assert "another run is being trained" in panel._message.children[0].value
    panel.train()
    assert panel.wait(LIMIT)
    assert panel.run is not None
    assert panel._screen._box.comm is not None


def test_costs_are_not_measured_while_a_run_is_trained(make: Callable[[str], SetupPanel]) -> None:
    panel = make(f"wine {SMALL}")
    with alone():
        panel.estimate()
        assert panel._estimates.join(LIMIT)
    assert "a run is being trained" in panel._form.methods.total.value


def test_a_closed_panel_leaves_no_widget_and_no_data(
    shell: InteractiveShell, make: Callable[[str], SetupPanel]
) -> None:
    before = set(_instances)
    watching = len(shell.events.callbacks["post_run_cell"])
    panel = make(f"wine {SMALL}")
    for kind in ("instance", "mixture", "uniform"):  # each with options of its own
        panel._form.controls["hardness"].widget.value = kind
    panel.train()
    assert panel.wait(LIMIT)
    assert panel.run is not None
    assert panel.run.dataset is not None
    panel.close()
    assert panel.run.dataset is None
    assert len(panel.run.scores) == 178
    assert len(shell.events.callbacks["post_run_cell"]) == watching
    assert set(_instances) == before


def test_it_is_shown_with_words_for_where_no_kernel_is(
    make: Callable[[str], SetupPanel], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[Any] = []
    monkeypatch.setattr("IPython.display.display", lambda data, **_: shown.append(data))
    monkeypatch.setattr(panels, "asked_from", lambda: ("widget", "c1"))
    panel = make("digits")
    panel._ipython_display_()
    assert list(shown[0]) == ["application/vnd.jupyter.widget-view+json"]
    assert "%hcat_panel opens it again" in shown[1]["text/plain"]
    assert repr(panel) == "<SetupPanel: digits; idle>"


def test_features_of_ones_own_are_a_variable(
    make: Callable[[str], SetupPanel], shell: InteractiveShell
) -> None:
    shell.user_ns["seen"] = np.random.default_rng(0).normal(size=(1797, 5)).astype(np.float32)
    panel = make(f"digits {SMALL} --features seen")
    assert "--features seen" in panel.line
    assert "features=seen" in panel.code
    panel.train()
    assert panel.wait(LIMIT)
    assert panel.run is not None
    assert panel.run.spec.features == USERS_OWN
