"""The panel, driven through its widgets in a real shell, without a browser."""

from __future__ import annotations

import base64
import gc
import html
import io
import re
import weakref
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from ipywidgets.widgets.widget import _instances
from PIL import Image

from hcat_nb.api.characterize import characterize
from hcat_nb.api.run import Run, load_run
from hcat_nb.errors import UnknownNameError
from hcat_nb.jupyter import panels
from hcat_nb.jupyter.chart_view import ChartView
from hcat_nb.jupyter.review.compare_panel import ComparePanel, runs_among

EVIL = "<b onclick=x>id</b>"


@pytest.fixture(scope="module")
def runs() -> tuple[Run, Run]:
    options = {"hardness": "uniform", "p": 0.1, "epochs": 2, "methods": "loss vog", "data_seed": 0}
    first, second = (characterize("wine", model_seed=seed, **options) for seed in (1, 2))
    return first, second


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    charts: list[dict[str, Any]] = []
    monkeypatch.setattr(ChartView, "send", lambda _, content: charts.append(content["spec"]))
    return charts


def test_two_runs_are_compared_and_the_choice_of_a_method_is_followed(
    runs: tuple[Run, Run], drawn: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    for run in runs:
        run.folder = None  # which another test saved them to, and whose name they would have
    panel = ComparePanel(*runs)
    assert panel._other.layout.display == "none"
    assert panel.comparison is not None
    assert panel.comparison.by == "loss"
    panel._method.value = "vog"
    assert panel.comparison.by == "vog"
    assert len(drawn) == 2
    assert drawn[-1]["layer"][1]["encoding"]["x"]["title"].startswith("run 1")
    expected = runs[0].compare(runs[1], by="vog")
    assert f"{expected.agreement['spearman'][1]:.4g}" in panel._agreement.value
    for one in expected.moved.index[:20]:
        assert f"<th>{one}</th>" in panel._moved.value
    assert "the 20 samples that moved most of 178" in panel._moved.value
    assert capsys.readouterr().out == ""


def test_runs_are_called_by_their_variables_else_by_their_folders(
    runs: tuple[Run, Run], drawn: list[dict[str, Any]], tmp_path: Any
) -> None:
    noisy, mended = runs
    panel = ComparePanel(noisy, mended, variables={"noisy": noisy, "mended": mended, "x": 1})
    assert panel.comparison is not None
    assert (panel.comparison.first, panel.comparison.second) == ("noisy", "mended")
    folders = [tmp_path / name / "same" for name in "ab"]
    loaded = [load_run(run.save(to)) for run, to in zip(runs, folders, strict=True)]
    panel = ComparePanel(*loaded, variables={})
    assert panel.comparison is not None
    assert (panel.comparison.first, panel.comparison.second) == ("same", "same (2)")


def test_one_run_compares_its_methods(runs: tuple[Run, Run], drawn: list[dict[str, Any]]) -> None:
    panel = ComparePanel(runs[0], methods=["vog", "loss"])
    assert panel._other.layout.display == ""
    assert panel.comparison is not None
    assert (panel.comparison.first, panel.comparison.second) == ("vog", "loss")
    assert "vog and loss" in panel._agreement.value
    panel._other.value = "vog"
    assert panel.comparison is None
    assert panel._message.value.startswith("'vog' is compared with itself")
    assert panel._chart.layout.display == "none"
    assert panel._moved.value == ""
    panel._method.value = "loss"
    assert panel.comparison is not None
    assert panel._message.value == ""


def test_runs_are_found_among_the_variables_of_a_notebook(
    shell: Any, runs: tuple[Run, Run], drawn: list[dict[str, Any]]
) -> None:
    shell.run_cell(
        "from hcat_nb.jupyter.review.compare_panel import ComparePanel; panel = ComparePanel()"
    )
    panel = shell.user_ns["panel"]
    assert "no run among the variables" in panel._message.value
    assert repr(panel) == "<ComparePanel: nothing to compare>"
    shell.user_ns.update(run_a=runs[0], run_b=runs[1], again=runs[0], _hidden=runs[1])
    panel.refresh()
    assert [name for _, name in panel._first.options] == ["run_a", "run_b"]
    assert panel.comparison is not None
    assert (panel.comparison.first, panel.comparison.second) == ("run_a", "run_b")
    panel._second.value = "run_a"
    assert panel.comparison.by is None
    assert len(repr(panel)) < 200


def test_a_folder_is_added_and_a_mistake_is_one_line(
    runs: tuple[Run, Run], drawn: list[dict[str, Any]], tmp_path: Any
) -> None:
    folder = str(runs[1].save(tmp_path / "saved"))
    panel = ComparePanel(runs[0])
    panel._folder.value = str(tmp_path / "nothing")
    panel._add.click()
    assert panel._message.value
    assert "\n" not in panel._message.value
    panel._folder.value = folder
    panel._add.click()
    assert panel._message.value == ""
    assert panel._second.value == folder
    assert panel.comparison is not None
    assert panel.comparison.second == folder


def test_runs_without_a_common_method_say_so(
    runs: tuple[Run, Run], drawn: list[dict[str, Any]]
) -> None:
    other = replace(runs[1], info={**runs[1].info, "methods": {"aum": {}}})
    panel = ComparePanel(runs[0], other)
    assert "share no method" in panel._message.value
    assert panel.comparison is None
    assert drawn == []


def test_ids_and_labels_are_text(runs: tuple[Run, Run], drawn: list[dict[str, Any]]) -> None:
    ids = pd.Index([f"{EVIL}{i}" for i in range(178)], name="sample_id")
    first, second = (
        replace(
            run,
            scores=run.scores.set_axis(ids, axis=0),
            truth=run.truth.set_axis(ids, axis=0),
            details=run.details.set_axis(ids, axis=0).assign(label=pd.Categorical([EVIL] * 178)),
        )
        for run in runs
    )
    panel = ComparePanel(first, second)
    for table in (panel._moved.value, panel._agreement.value, panel._headline.value):
        assert "<b onclick" not in table
    assert "&lt;b onclick=x&gt;id&lt;/b&gt;" in panel._moved.value


def test_a_method_that_is_not_there_is_told(
    runs: tuple[Run, Run], drawn: list[dict[str, Any]]
) -> None:
    with pytest.raises(UnknownNameError, match=r"'vgo' is not a method.*nearest: vog"):
        ComparePanel(*runs, methods=["vgo"])


def test_behind_it_stands_a_picture_and_a_closed_one_holds_nothing(
    runs: tuple[Run, Run],
    drawn: list[dict[str, Any]],
    displayed: list[tuple[str, dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(panels, "asked_from", lambda: ("widget", "c1"))
    before = set(_instances)
    mine = replace(runs[0])
    held = weakref.ref(mine)
    panel = ComparePanel(mine, runs[1], variables={})
    panel._ipython_display_()
    (_, live), (_, static) = displayed
    assert list(live) == ["application/vnd.jupyter.widget-view+json"]
    assert set(static) == {"text/html", "image/png", "text/plain"}
    assert "by loss: Spearman" in static["text/plain"]
    ComparePanel(*runs, variables={})._ipython_display_()  # the cell is run again
    del mine
    gc.collect()
    assert held() is None
    panels._panels.pop("c1").close()
    assert set(_instances) == before


def test_nothing_else_is_taken_for_a_run(runs: tuple[Run, Run]) -> None:
    assert list(runs_among({"a": 1, "run": runs[0], "_1": runs[1]})) == ["run"]


def test_images_are_shown_beside_the_table_in_its_order(drawn: list[dict[str, Any]]) -> None:
    options = {"subset": 60, "epochs": 1, "methods": "loss", "data_seed": 0}
    first, second = (characterize("digits", model_seed=seed, **options) for seed in (1, 2))
    ids = pd.Index([f"{EVIL}{i}" for i in first.details.index], name="sample_id")
    for run in (first, second):
        run.scores, run.truth, run.details = (
            frame.set_axis(ids, axis=0) for frame in (run.scores, run.truth, run.details)
        )
        run.dataset = run.dataset.replace(sample_ids=ids)
    second.dataset = second.dataset.take(torch.arange(50))  # as mended data, which lack some
    panel = ComparePanel(first, second)
    pictures = re.findall(r'<img alt="sample ([^"]*)" .*?base64,([^"]*)"', panel._moved.value)
    moved = panel.comparison.moved.index[:20].tolist()
    assert [html.unescape(name) for name, _ in pictures] == moved
    assert EVIL not in panel._moved.value
    row = first.dataset.sample_ids.get_loc(moved[0])
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(pictures[0][1]))))
    expected = first.dataset.features[row, 0].numpy() / 16 * 255
    assert np.abs(shown[..., 0].astype(float) - expected).max() <= 0.5  # rounding to whole levels


def test_samples_without_images_are_a_table_alone(
    runs: tuple[Run, Run], drawn: list[dict[str, Any]]
) -> None:
    assert "<img" not in ComparePanel(*runs)._moved.value
