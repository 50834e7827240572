from __future__ import annotations

from typing import Any

import ipywidgets
import pytest
from ipywidgets.widgets.widget import _instances

from hcat_nb.jupyter import panels
from hcat_nb.jupyter.panels import show_panel
from hcat_nb.jupyter.screens import close_tree
from hcat_nb.jupyter.static_view import StaticView

Shown = list[tuple[str, dict[str, Any]]]
WIDGET = "application/vnd.jupyter.widget-view+json"


class Made:
    """A panel of one widget."""

    def __init__(self) -> None:
        self.box = ipywidgets.VBox([ipywidgets.HBox([ipywidgets.Button(), ipywidgets.Text()])])

    def close(self) -> None:
        close_tree(self.box)

    def __repr__(self) -> str:
        return "<a panel>"


def show(monkeypatch: pytest.MonkeyPatch, how: str, panel: Made, cell: str = "c1") -> None:
    monkeypatch.setattr(panels, "asked_from", lambda: (how, cell))
    show_panel(panel, lambda: panel.box, lambda: StaticView("words"))


def test_widget_and_then_words(monkeypatch: pytest.MonkeyPatch, displayed: Shown) -> None:
    panel = Made()
    show(monkeypatch, "widget", panel)
    assert [list(data) for _, data in displayed] == [[WIDGET], ["text/html", "text/plain"]]
    assert displayed[0][1][WIDGET]["model_id"] == panel.box.model_id
    panel.close()


def test_where_nobody_watches_there_are_words_only(
    monkeypatch: pytest.MonkeyPatch, displayed: Shown
) -> None:
    show(monkeypatch, "static", panel := Made())
    assert [data["text/plain"] for _, data in displayed] == ["words"]
    panel.close()


def test_outside_a_notebook_there_is_a_line(
    monkeypatch: pytest.MonkeyPatch, displayed: Shown, capsys: pytest.CaptureFixture[str]
) -> None:
    show(monkeypatch, "none", panel := Made())
    assert (displayed, capsys.readouterr().out) == ([], "<a panel>\n")
    panel.close()


def test_running_a_cell_again_leaves_nothing_of_what_it_showed(
    monkeypatch: pytest.MonkeyPatch, displayed: Shown
) -> None:
    before = set(_instances)
    made = [Made(), Made(), Made()]
    for panel, cell in zip(made, ("a", "b", "a"), strict=True):
        show(monkeypatch, "widget", panel, cell)
    show(monkeypatch, "widget", made[2], "a")  # the same one again
    assert [panel.box.comm is None for panel in made] == [True, False, False]
    for panel in made[1:]:
        panel.close()
    assert set(_instances) == before


def test_a_panel_that_another_cell_shows_stays(
    monkeypatch: pytest.MonkeyPatch, displayed: Shown
) -> None:
    twice, other = Made(), Made()
    for panel, cell in ((twice, "a"), (twice, "b"), (other, "a")):
        show(monkeypatch, "widget", panel, cell)
    assert twice.box.comm is not None
    show(monkeypatch, "widget", other, "b")
    assert twice.box.comm is None
    other.close()
