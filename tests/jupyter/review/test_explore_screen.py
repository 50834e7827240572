"""The explorer's widgets: one panel a cell, a picture behind it, nothing piles up."""

from __future__ import annotations

import ipywidgets
import pytest
from ipywidgets.widgets.widget import _instances

from hcat_nb.api.characterize import characterize
from hcat_nb.api.run import Run
from hcat_nb.jupyter import panels
from hcat_nb.jupyter.review.explore_screen import ExploreScreen, show_explorer

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
    assert capsys.readouterr().out == "<explorer: 60 of 60 samples>\n"


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
    assert last.selected is None
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
    assert detail.heading == f"sample {run.details.index[row]}"
    expected = run.dynamics.filter(like="epoch_").iloc[row].to_numpy()
    assert detail.trajectory == pytest.approx(expected, abs=5e-5)  # rounded to four digits
    ranked = ["first_look", "aum", "el2n", "linear", "knn_label"]
    assert [name for name, _, _ in detail.scores] == ranked
    assert detail.scores[0][2] == pytest.approx(59 / 60)
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
