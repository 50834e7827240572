"""The step after a review: what the line says, what is trained, and what is let go."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pandas as pd
import pytest

import hcat_nb
from hcat_nb.api.characterize import characterize
from hcat_nb.api.run import Run
from hcat_nb.jupyter.review.explore_panel import ExplorePanel, explore
from hcat_nb.jupyter.review.explore_screen import ExploreScreen

LIMIT = 300.0  # seconds until a hanging test is given up


@pytest.fixture
def run() -> Run:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(90, 3)), columns=list("abc"))
    frame["kind"] = np.where(frame.a > 0, "elm", "<b>oak</b>")
    return characterize(frame, target="kind", epochs=2, methods="aum,el2n", seed=0)


def _opened(run: Run, **options: Any) -> tuple[ExplorePanel, ExploreScreen]:
    panel = explore(run, **options)
    screen = ExploreScreen(panel)
    panel.attach(screen)
    return panel, screen


def _line(screen: ExploreScreen) -> tuple[str, Any]:
    words, button = screen.retraining.parts[0].children
    return words.value, button


def _over(screen: ExploreScreen) -> bool:
    training = screen.retraining._training
    return training is not None and training.wait(LIMIT)


def test_it_waits_for_decisions_and_says_what_remains(run: Run, displayed: Any) -> None:
    panel, screen = _opened(run, remains=lambda: "9 found; <5> more remain")
    words, button = _line(screen)
    assert "9 found; &lt;5&gt; more remain" in words
    assert button.disabled
    panel.heard("act", {"rows": [3], "action": "drop", "code": -1})
    assert not _line(screen)[1].disabled
    panel.heard("undo", {})
    assert _line(screen)[1].disabled
    panel.close()


def test_a_click_trains_again_and_the_comparison_says_what_became(run: Run, displayed: Any) -> None:
    panel, screen = _opened(run)
    other = 1 - int(run.details["label"].cat.codes.iloc[5])
    panel.heard("act", {"rows": [5], "action": "relabel", "code": other})
    _line(screen)[1].click()
    assert _over(screen)
    words, button = _line(screen)
    assert "the new run is hcat_nb.last_run" in words
    assert not button.disabled
    new = panel.retrained
    assert new is hcat_nb.last_run
    assert int(new.details["label"].cat.codes.iloc[5]) == other
    (compared,) = screen.retraining.parts[1].children
    assert compared.comparison is not None
    assert "<h3>1 relabelled: " in compared.children[0].value  # what became of it comes first
    # A second click compares anew, in the place of the first.
    button.click()
    assert _over(screen)
    assert len(screen.retraining.parts[1].children) == 1
    assert compared.comparison is None
    panel.close()
    assert panel.retrained is None


def test_a_mistake_is_told_in_the_line(run: Run, displayed: Any) -> None:
    panel, screen = _opened(run)
    panel.heard("act", {"rows": [5], "action": "drop", "code": -1})
    run.spec = run.spec.replace(model="own")
    _line(screen)[1].click()
    assert _over(screen)
    words, button = _line(screen)
    assert "hcat-error" in words
    assert "came as an object" in words
    assert not button.disabled
    panel.close()


def test_a_closed_panel_lets_both_runs_go(run: Run, displayed: Any) -> None:
    panel, screen = _opened(run)
    panel.heard("act", {"rows": [5], "action": "drop", "code": -1})
    _line(screen)[1].click()
    assert _over(screen)
    dataset = weakref.ref(panel.retrained.dataset)
    panel.close()
    hcat_nb.jupyter.latest.last_run = None
    gc.collect()
    assert dataset() is None
