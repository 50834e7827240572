"""The end of a live view: what it says, and where its button leads."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import ipywidgets
import numpy as np
import pandas as pd
import pytest

from hcat_nb.api.characterize import characterize
from hcat_nb.api.run import Run
from hcat_nb.jupyter.next_step import offer_next, result_words
from hcat_nb.jupyter.screens import StaticScreen, WidgetScreen


def _run(**options: Any) -> Run:
    return characterize("wine", epochs=2, methods="aum,el2n", seed=0, **options)


@pytest.fixture
def place(displayed: Any) -> ipywidgets.VBox:
    return ipywidgets.VBox()


def _parts(box: Any) -> list[Any]:
    return [box, *(inner for one in getattr(box, "children", ()) for inner in _parts(one))]


def _button(place: Any) -> ipywidgets.Button:
    buttons = [one for one in _parts(place) if isinstance(one, ipywidgets.Button)]
    return next(one for one in buttons if one.description == "Look at the suspects")


def test_where_a_truth_is_known_the_found_ones_are_counted() -> None:
    run = _run(hardness="uniform", p=0.1)
    hard = int(run.truth["is_hard"].sum())
    found = int(run.hardest(hard).frame["is_hard"].sum())
    said = f"{found} of {hard} made hard stand among the first {hard} by first_look."
    assert result_words(run) == said


def test_else_the_doubted_labels_are_counted() -> None:
    run = _run()
    label = run.details["label"]
    none = pd.Categorical.from_codes(np.full(len(label), -1), categories=label.cat.categories)
    run.details["suggested"] = none
    assert result_words(run) == "No label is doubted."
    codes = np.full(len(label), -1)
    codes[:3] = (label.cat.codes[:3] + 1) % 3
    run.details["suggested"] = pd.Categorical.from_codes(codes, categories=label.cat.categories)
    assert result_words(run) == f"3 of {len(label)} labels are doubted."


def test_the_button_opens_the_explorer_under_the_view(place: ipywidgets.VBox) -> None:
    run, screen = _run(), WidgetScreen(place)
    screen._known.set()
    screen._built.wait()
    offer_next(screen, run)
    assert result_words(run) in "".join(str(getattr(one, "value", "")) for one in _parts(place))
    _button(place).click()
    classes = [cls for one in _parts(place) for cls in getattr(one, "_dom_classes", ())]
    assert "hcat-bench" in classes
    assert len(run.decisions().listeners) == 1
    screen.close()
    assert run.decisions().listeners == []


def test_a_view_does_not_keep_its_run(place: ipywidgets.VBox) -> None:
    run, screen = _run(), WidgetScreen(place)
    screen._known.set()
    screen._built.wait()
    offer_next(screen, run)
    held = weakref.ref(run)
    del run
    gc.collect()
    assert held() is None
    _button(place).click()
    said = [str(getattr(one, "value", "")) for one in _parts(place)]
    assert any("The run is gone" in one for one in said)
    screen.close()


def test_without_widgets_there_is_no_button(displayed: Any) -> None:
    before = len(displayed)
    offer_next(None, _run())
    assert len(displayed) == before
    offer_next(StaticScreen(), _run())
