"""What the explorer's map marks."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from hcat_nb.api.characterize import characterize
from hcat_nb.jupyter.review.exploration import Exploration
from hcat_nb.jupyter.review.explore_map import draw_map, mark_decided, mark_selection


class Screen:
    """As much of a screen as has a map."""

    def __init__(self) -> None:
        self.draws = 0

    def show_map(self, scene) -> None:
        self.map = SimpleNamespace(scene=scene, show=lambda make: make(), redraw=self._redraw)

    def _redraw(self) -> None:
        self.draws += 1


@pytest.fixture
def drawn():
    run = characterize("wine", epochs=1, methods="el2n,aum", seed=0)
    exploration, screen = Exploration(run, run.decisions().codes), Screen()
    exploration.filter("label", "class_1")
    exploration.choose(np.array([60, 61]))
    run.decisions().decide([62, 3], "keep")
    draw_map(screen, run, exploration, ("aum", "confidence", "label"), run.decisions())
    return run, exploration, screen


def test_a_new_map_has_all_that_was_marked(drawn):
    run, _, screen = drawn
    scene = screen.map.scene
    assert screen.draws == 1
    assert scene.selected.tolist() == [60, 61]
    assert scene._decided.tolist() == [3, 62]
    assert scene._keep.sum() == (run.details["label"].astype(str) == "class_1").sum()


def test_a_whole_queue_is_not_marked(drawn):
    _, exploration, screen = drawn
    exploration.review()
    mark_selection(screen, exploration)
    assert len(screen.map.scene.selected) == 0


def test_a_panel_that_is_not_shown_marks_nothing(drawn):
    run, exploration, _ = drawn
    mark_selection(None, exploration)
    mark_decided(None, run.decisions())
