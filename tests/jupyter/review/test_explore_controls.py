"""The controls tell what was chosen, and follow what was chosen elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
import pandas as pd
import pytest

from hcat_nb.api.characterize import characterize
from hcat_nb.jupyter.review.exploration import Exploration
from hcat_nb.jupyter.review.explore_controls import ExploreControls


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
    return {box.description: box for box in controls.top.children if isinstance(box, kind)}


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
    row = controls.bottom.children[0]
    row.children[0].value = "mine.parquet"
    for one in (*row.children, *controls.top.children):
        if isinstance(one, ipywidgets.Button):
            one.click()
    assert pressed == [
        ("export", "mine.parquet"), ("import", "mine.parquet"), ("all", "mine.parquet"),
    ]  # fmt: skip


def test_a_file_that_was_there_is_replaced_when_asked_twice(made, tmp_path):
    controls, _, pressed = made
    text, export, _ = controls.bottom.children[0].children
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
    text, export, _ = controls.bottom.children[0].children
    text.value = str(tmp_path / "no_suffix")
    export.click()
    (tmp_path / "no_suffix").touch()  # by somebody else
    export.click()
    assert len(pressed) == 1
    assert export.description == "Replace the file?"
