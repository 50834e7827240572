"""The explorer's widgets: one panel a cell, a picture behind it, nothing piles up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
import pandas as pd
import pytest
from ipywidgets.widgets.widget import _instances

from hcat_nb.api.characterize import characterize
from hcat_nb.api.run import Run
from hcat_nb.jupyter import panels
from hcat_nb.jupyter.review.exploration import Exploration
from hcat_nb.jupyter.review.explore_screen import ExploreControls, ExploreScreen, show_explorer
from hcat_nb.runs.review.queue import queue_of

WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture(scope="module")
def run() -> Run:
    return characterize(
        "digits", subset=60, epochs=2, methods="aum,el2n", seed=0, keep_dynamics="probs"
    )


def _asked(monkeypatch, how, cell="c1"):
    monkeypatch.setattr(panels, "asked_from", lambda: (how, cell))


def test_widgets_and_then_the_picture(run, displayed, monkeypatch):
    _asked(monkeypatch, "widget")
    panel = run.explore()
    show_explorer(panel)
    (_, first), (_, second) = displayed
    assert list(first) == [WIDGET]
    assert {"text/html", "image/png", "text/plain"} == set(second)
    assert "Explorer of digits: 60 samples" in second["text/plain"]
    box = _instances[first[WIDGET]["model_id"]]
    assert isinstance(box, ipywidgets.VBox)
    panel.close()


def test_without_a_person_there_is_the_picture_only(run, displayed, monkeypatch):
    _asked(monkeypatch, "static")
    before = len(_instances)
    show_explorer(run.explore())
    assert [set(data) for _, data in displayed] == [{"text/html", "image/png", "text/plain"}]
    assert len(_instances) == before


def test_outside_a_notebook_there_is_a_line(run, displayed, monkeypatch, capsys):
    _asked(monkeypatch, "none")
    show_explorer(run.explore())
    assert displayed == []
    assert capsys.readouterr().out == f"<explorer: {len(queue_of(run).rows)} of 60 samples>\n"


def test_running_a_cell_again_closes_what_it_showed(run, displayed, monkeypatch):
    _asked(monkeypatch, "widget", "c2")
    first = run.explore()
    show_explorer(first)
    count = len(_instances)
    for _ in range(3):
        last = run.explore()
        show_explorer(last)
    assert len(_instances) == count
    assert repr(first) == "<explorer, closed>"
    before = len(_instances)
    show_explorer(last)  # the same panel again, in the same cell
    assert len(_instances) == before
    assert set(last.selected) == set(run.details.index[queue_of(run).rows])
    last.close()


def test_a_panel_shown_twice_shows_the_same_state_twice(run, displayed, monkeypatch):
    panel = run.explore()
    for cell in ("c3", "c4"):
        _asked(monkeypatch, "widget", cell)
        show_explorer(panel)
    first, second = (data[WIDGET]["model_id"] for _, data in displayed if WIDGET in data)
    assert first == second  # two views of one model, which both hear what changes
    assert _instances[first].comm is not None
    panel.close()


def test_a_sample_in_focus_is_shown_with_its_way(run, displayed):
    panel = run.explore()
    screen = ExploreScreen(panel)
    panel.attach(screen)
    row = int(panel.exploration.rows[0])
    panel.heard("focus", {"row": row, "place": 0})
    detail = screen.detail
    assert detail.card["heading"] == f"sample {run.details.index[row]}"
    assert detail.picture.startswith(b"\x89PNG")
    assert screen.map.scene._followed == row
    panel.close()


def test_another_pair_of_axes_is_another_map_without_the_old_ones_brush(run):
    panel = run.explore()
    screen = ExploreScreen(panel)
    first = screen.map
    panel.attach(screen)
    before = screen.map
    assert before is first  # Vega, a megabyte, goes out once
    panel.set(x="aum")
    assert screen.map is not before
    assert before.comm is None
    now = screen.map
    panel.set(color="label")
    assert screen.map is now
    panel.heard("focus", {"row": 7, "place": 0})
    panel.set(y="el2n")
    assert screen.map.scene._followed == 7  # the sample in focus stays marked
    panel.close()


@pytest.fixture(scope="module")
def exploration() -> Exploration:
    run = characterize("wine", epochs=1, methods="el2n,aum", seed=0, hardness="uniform", p=0.1)
    return Exploration(run, run.decisions().codes)


@pytest.fixture
def made(exploration) -> tuple[ExploreControls, list[Any], list[Any]]:
    chosen: list[Any] = []
    pressed: list[Any] = []

    def press(name: str, path: str) -> None:
        pressed.append((name, path))
        if name == "export" and Path(path).suffix:  # a path without one fails
            Path(path).touch()

    controls = ExploreControls(
        exploration,
        ["group", "label"],
        {"x": "aum", "y": "confidence", "color": "label"},
        lambda name, value: chosen.append((name, value)),
        press,
    )
    return controls, chosen, pressed


def _boxes(controls: ExploreControls) -> dict[str, ipywidgets.Dropdown]:
    kind = ipywidgets.Dropdown
    return {box.description: box for box in _all(controls.box) if isinstance(box, kind)}


def _all(box: Any) -> list[Any]:
    return [box, *(inner for one in getattr(box, "children", ()) for inner in _all(one))]


def _files(controls: ExploreControls) -> tuple[Any, Any]:
    """The field of the file's name, and the button that writes it."""
    parts = _all(controls.box)
    text = next(one for one in parts if getattr(one, "value", None) == "decisions.csv")
    buttons = [one for one in parts if isinstance(one, ipywidgets.Button)]
    return text, next(one for one in buttons if one.description == "Export")


def test_they_show_what_is_chosen_and_tell_changes(made):
    controls, chosen, _ = made
    boxes = _boxes(controls)
    assert list(boxes) == [
        "x", "y", "colour", "hardest by", "class", "group", "truth", "decision",
    ]  # fmt: skip
    assert [boxes[name].value for name in ("x", "y", "colour")] == ["aum", "confidence", "label"]
    boxes["hardest by"].value = "el2n"
    boxes["truth"].value = "made hard"
    boxes["truth"].index = 0
    assert chosen == [("by", "el2n"), ("truth", "made hard"), ("truth", None)]


def test_a_class_may_be_called_as_the_controls_call_all():
    frame = pd.DataFrame({"a": np.arange(120.0), "y": ["(all)", "(no label)", None, "oak"] * 30})
    options = {"target": "y", "on_missing_label": "keep", "methods": "el2n", "epochs": 1}
    run = characterize(frame, seed=0, **options)
    exploration = Exploration(run)
    chosen: list[Any] = []
    controls = ExploreControls(
        exploration,
        ["label"],
        {"x": "el2n", "y": "confidence", "color": "label"},
        lambda name, value: chosen.append((name, value)),
        lambda *_: None,
    )
    box = _boxes(controls)["class"]
    assert [one[0] for one in box.options] == [
        "(all)", "(all)", "(no label)", "oak", "((no label))",
    ]  # fmt: skip
    for index in (1, 2, 4, 0):
        box.index = index
    assert chosen == [("label", "(all)"), ("label", "(no label)"), ("label", "((no label))"),
                      ("label", None)]  # fmt: skip
    counts = []
    for _, value in chosen:
        exploration.filter("label", value)
        counts.append(len(exploration.rows))
    assert counts == [30, 30, 30, 120]
    exploration.filter("label", "((no label))")
    assert run.details["label"].iloc[exploration.rows].isna().all()
    controls.show("label", "(all)")
    assert box.index == 1
    controls.show("label", None)
    assert box.index == 0


def test_they_follow_and_are_then_silent_about_what_is_the_same(made):
    controls, chosen, _ = made
    controls.show("group", "Data-IQ: hard")
    controls.show("group", "Data-IQ: hard")
    assert _boxes(controls)["group"].value == "Data-IQ: hard"
    assert chosen == [("group", "Data-IQ: hard")]
    controls.show("group", None)
    assert chosen[-1] == ("group", None)


def test_buttons_tell_the_file(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    controls, _, pressed = made
    _files(controls)[0].value = "mine.parquet"
    for one in _all(controls.box):
        if isinstance(one, ipywidgets.Button):
            one.click()
    names = ["queue", "all", "export", "import"]
    assert pressed == [(name, "mine.parquet") for name in names]
    search = next(one for one in _all(controls.box) if "search" in getattr(one, "placeholder", ""))
    search.value = "oak"
    assert pressed[-1] == ("find", "oak")


def test_the_truth_is_a_button_until_it_is_revealed(exploration):
    chosen = {"x": "aum", "y": "confidence", "color": "group"}
    told: list[Any] = []
    controls = ExploreControls(
        exploration,
        ["group", "label"],
        chosen,
        lambda *_: None,
        lambda name, path: told.append(name),
        truth=True,
        reveal=False,
    )
    assert "truth" not in _boxes(controls)
    assert "truth" not in _boxes(controls)["colour"].options
    buttons = [one for one in _all(controls.box) if isinstance(one, ipywidgets.Button)]
    reveal = next(one for one in buttons if one.description == "Reveal truth")
    reveal.click()
    assert told == ["reveal"]
    controls.show("color", "truth")
    assert _boxes(controls)["colour"].value == "truth"
    assert reveal.layout.display == "none"


def test_the_head_says_how_far_the_review_is_and_shows_markup_as_text(run):
    panel = run.explore()
    screen = ExploreScreen(panel)
    screen.progress(0.25, "3 of 12 <b>suspects</b> reviewed", "3 kept")
    head = screen.box.children[0].children[0].value
    assert 'value="0.2500"' in head
    assert "3 of 12 &lt;b&gt;suspects&lt;/b&gt; reviewed · 3 kept" in head
    panel.close()


def test_a_file_that_was_there_is_replaced_when_asked_twice(made, tmp_path):
    controls, _, pressed = made
    text, export = _files(controls)
    there, other = str(tmp_path / "there.csv"), str(tmp_path / "other.csv")
    (tmp_path / "there.csv").touch()
    text.value = there
    export.click()
    assert (pressed, export.description) == ([], "Replace the file?")
    text.value = other  # the question was about the first file
    assert export.description == "Export"
    text.value = there
    text.value = other
    export.click()
    export.click()  # a file from here
    assert pressed == [("export", other)] * 2
    text.value = there
    export.click()
    assert len(pressed) == 2
    export.click()
    assert pressed[2:] == [("export", there)]
    assert export.description == "Export"
    assert not export.button_style


def test_an_export_that_failed_leaves_no_file_of_ours(made, tmp_path):
    controls, _, pressed = made
    text, export = _files(controls)
    text.value = str(tmp_path / "no_suffix")
    export.click()
    (tmp_path / "no_suffix").touch()  # by somebody else
    export.click()
    assert len(pressed) == 1
    assert export.description == "Replace the file?"


def test_a_truth_is_hidden_until_it_is_revealed():
    run = characterize("digits", hardness="uniform", p=0.2, subset=80, epochs=1, methods="el2n")
    panel = run.explore(reveal=False)
    screen = ExploreScreen(panel)
    panel.attach(screen)
    assert panel.color == "group"
    row = int(np.flatnonzero(run.truth["is_hard"])[0])
    panel.heard("focus", {"row": row, "place": 0})
    assert "ground truth" not in dict(screen.detail.card["facts"])
    panel.pressed("reveal", "")
    assert panel.color == "truth"
    was = run.truth["original_label"].iloc[row]
    assert dict(screen.detail.card["facts"])["ground truth"] == f"made hard, was {was}"
    panel.close()
