"""Every option of a run has a control in the panel, once."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterator
from itertools import chain
from typing import Any

import ipywidgets
import pandas as pd
import pytest

from hcat_nb.commands.table import MAGICS
from hcat_nb.errors import SpecError
from hcat_nb.magics.controls import looks
from hcat_nb.magics.parser import looks_like_data, parse
from hcat_nb.magics.setup_form import NameOrVariable, SetupForm
from hcat_nb.registry import METHODS, MODELS, PERTURBATIONS, SOURCES
from hcat_nb.spec import RunSpec

FRAME = pd.DataFrame({"a": [1.0]})


def make(**options: Any) -> SetupForm:
    spec = RunSpec.from_options(**options)
    return SetupForm(spec, {}, {}, lambda: None, lambda: None)


def read(form: SetupForm) -> RunSpec:
    call = parse(MAGICS["hcat_train"], shlex.join(form.words()), None, {})
    return RunSpec.from_options(dataset=call.keywords.pop("data"), **call.keywords)


def widgets(boxes: Any) -> Iterator[Any]:
    for one in boxes:
        yield one
        yield from widgets(getattr(one, "children", ()))


def test_every_field_has_one_control() -> None:
    form = make()
    shown = [id(one) for one in widgets(chain(*form.sections().values()))]
    assert len(set(shown)) == len(shown)
    special = {"dataset": form.data.choice, "model": form.model.choice}
    special |= {"methods": form.methods.button, "hardness_options": form._option_box}
    for item in dataclasses.fields(RunSpec):
        control = form.controls.get(item.name)
        widget = special[item.name] if control is None else control.widget
        assert id(widget) in shown, item.name


def test_every_registered_name_can_be_chosen() -> None:
    form = make()
    assert set(PERTURBATIONS.names()) <= set(form.controls["hardness"].widget.options)
    models = {value for _, value in form.model.choice.options}
    assert set(MODELS.names()) <= models
    datasets = {value for _, value in form.data.choice.options}
    assert set(SOURCES.names()) - datasets == {"file", "folder"}  # a path says which
    assert set(METHODS.names()) == set(form.methods.chosen)


def test_every_control_has_a_name() -> None:
    form = make(hardness="far_ood")
    interactive = (ipywidgets.Button, ipywidgets.ToggleButton)
    for one in widgets(chain(*form.sections().values())):
        if isinstance(one, interactive) or (
            hasattr(one, "value") and not isinstance(one, (ipywidgets.HTML, ipywidgets.Label))
        ):
            assert one.description, one


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"dataset": "wine", "hardness": "atypical", "hardness_options": {"strength": [0.1, 0.2]}},
        {"dataset": "birds.csv", "target": "kind", "model": "mlp", "methods": "aum vog"},
        {"epochs": 3, "download": False, "keep_dynamics": "probs", "seed": 4},
    ],
    ids=str,
)
def test_it_says_what_it_was_given(options: dict[str, Any]) -> None:
    spec = RunSpec.from_options(**options)
    assert read(make(**options)) == spec


def test_another_kind_brings_its_own_options() -> None:
    form = make(hardness="zoom_shift", hardness_options={"strength": 3.0})
    assert "strength=3.0" in form.words()
    form.controls["hardness"].widget.value = "uniform"
    assert [control.name for control in form.options] == ["variant"]
    assert "--hardness-options" not in form.words()
    form.controls["hardness"].widget.value = "none"
    assert form.options == []
    assert read(form).hardness is None


def test_a_mixture_adds_its_parts_up() -> None:
    form = make(hardness={"uniform": 0.05, "zoom_shift": {"p": 0.1, "strength": 2.0}})
    assert read(form).hardness_options == {
        "uniform": 0.05,
        "zoom_shift": {"p": 0.1, "strength": 2.0},
    }
    assert form.controls["p"].widget.disabled
    form.options[0].widget.value = "uniform=0.05 far_ood=0.1"
    assert read(form).p == pytest.approx(0.15)
    form.options[0].widget.value = "uniform"
    with pytest.raises(SpecError, match="key=value"):
        form.words()
    form.options[0].widget.value = ""
    with pytest.raises(SpecError, match="kind=proportion"):
        form.words()


def test_a_path_that_is_not_given_is_a_mistake() -> None:
    form = make(dataset="birds.csv")
    form.data.path.value = ""
    with pytest.raises(SpecError, match="no path"):
        form.words()


def test_where_it_is_saved() -> None:
    form = SetupForm(RunSpec(), {}, {"out": "runs/1"}, lambda: None, lambda: None)
    assert form.own() == {"out": "runs/1", "overwrite": False}
    form.out.value = "  "
    assert form.own() == {}


def test_the_columns_of_a_frame_are_offered_as_target() -> None:
    frame = pd.DataFrame({"size": [1.0], 7: [2], "kind": ["x"]})
    form = make()
    target = form.controls["target"].widget
    form.refresh({"frame": frame, "pair": [[1.0], [2.0]]})
    assert target.options == ()
    form.data.choice.value = "frame"
    assert target.options == ("size", "7", "kind")
    assert target.placeholder == "column of the labels"
    target.value = "kind"
    assert form.words()[:3] == ["frame", "--target", "kind"]
    form.data.choice.value = "pair"
    assert target.options == ()


def dataset_choice_make(value: str = "digits") -> NameOrVariable:
    return NameOrVariable(
        "dataset",
        ["digits", "wine"],
        looks_like_data,
        value,
        "a file ...",
        looks("dataset", "help"),
    )


def words(choice: NameOrVariable) -> list[str]:
    return [value for _, value in choice.choice.options]


def test_variables_are_offered_as_they_come_and_go_and_the_choice_stays() -> None:
    choice = dataset_choice_make()
    heard: list[str] = []
    choice.on_change(lambda: heard.append(choice.word))
    choice.refresh({"mine": FRAME, "_hidden": FRAME, "text": "no data"})
    assert words(choice)[:3] == ["mine", "digits", "wine"]
    assert choice.word == "digits"
    choice.choice.value = "mine"
    assert heard == ["mine"]
    choice.refresh({"mine": FRAME, "more": FRAME})
    assert choice.word == "mine"
    choice.refresh({})
    assert choice.word == "mine"  # the line will say that it is gone
    assert heard == ["mine"]


def test_a_variable_goes_before_a_name() -> None:
    choice = dataset_choice_make()
    choice.refresh({"wine": FRAME})
    assert ("wine (variable)", "wine") in choice.choice.options
    assert words(choice).count("wine") == 1


@pytest.mark.parametrize("path", ["birds.csv", "./photos"])
def test_a_path_has_a_place_of_its_own(path: str) -> None:
    choice = dataset_choice_make(path)
    assert choice.word == path
    assert choice.path.layout.display is None
    choice.choice.value = "wine"
    assert choice.word == "wine"
    assert choice.path.layout.display == "none"
