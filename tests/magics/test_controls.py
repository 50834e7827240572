from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

import pytest

import hcat_nb
from hcat_nb.arguments import read_pair
from hcat_nb.commands.table import MAGICS
from hcat_nb.errors import SpecError
from hcat_nb.magics.controls import field_control, plugin_controls
from hcat_nb.magics.parser import parse
from hcat_nb.perturbations.base import Perturbation
from hcat_nb.registry import PERTURBATIONS
from hcat_nb.spec import RunSpec

FIELDS = {item.name: item for item in dataclasses.fields(RunSpec)}
OTHER = RunSpec(
    dataset="wine",
    dataset_options={"a": 1, "b": "two words"},
    target="kind",
    groups="patient",
    weights="trust",
    join_spellings=True,
    exclude=("row",),
    strict=True,
    root="/data",
    download=False,
    subset=50,
    on_missing_label="drop",
    on_bad_row="keep",
    hardness="uniform",
    p=0.25,
    hardness_options={"variant": "hcat"},
    model="mlp",
    model_options={"width": 12},
    embedding="head",
    features="patches",
    normalize="none",
    methods=("aum", "loss"),
    method_options={"aum": {"threshold_samples": True}},
    variant="hcat",
    epochs=3,
    defaults=1,
    batch_size=8,
    lr=0.5,
    observe_batch_size=16,
    device="cpu",
    data_on="host",
    seed=5,
    seeds=2,
    data_seed=6,
    model_seed=7,
    folds="3",
    judges=False,
    learning_check=False,
    keep_dynamics="probs",
)


def test_the_example_differs_in_every_field() -> None:
    plain = RunSpec()
    for name in FIELDS.keys() - {
        "truth",
        "epoch_mean",
        "observe",
    }:  # not beside hardness, and variant=hcat
        assert getattr(OTHER, name) != getattr(plain, name), name


@pytest.mark.parametrize("name", [name for name in FIELDS if name != "dataset"])
def test_a_control_shows_a_value_and_says_it_again(name: str) -> None:
    control = field_control(FIELDS[name], getattr(OTHER, name))
    read = parse(MAGICS["hcat_train"], shlex.join(control.words()), None, {}).keywords
    made = OTHER.replace(**read)
    assert getattr(made, name) == getattr(OTHER, name)
    assert field_control(FIELDS[name], getattr(RunSpec(), name)).words() == []
    assert control.widget.description
    assert control.widget.tooltip == FIELDS[name].metadata["help"]


@pytest.mark.parametrize("kind", PERTURBATIONS.names())
def test_every_kind_of_hardness_has_a_control_for_each_option(kind: str) -> None:
    plugin = PERTURBATIONS.get(kind)
    controls = plugin_controls(plugin, {})
    names = [item.name for item in dataclasses.fields(plugin) if item.init]
    assert [control.name for control in controls] == names
    assert [pair for control in controls for pair in control.words()] == []


def test_given_options_are_shown_and_said_again() -> None:
    plugin = PERTURBATIONS.get("zoom_shift")
    given = {"strength": [1.5, 2.0], "keep_extremes": False}
    controls = plugin_controls(plugin, given)
    assert dict(read_pair(pair) for control in controls for pair in control.words()) == given


@pytest.fixture
def own_kind() -> Iterator[type[Perturbation]]:
    @hcat_nb.register
    @dataclass(frozen=True)
    class Own(Perturbation):
        name: ClassVar[str] = "own_kind"
        title: ClassVar[str] = "Mine"
        family: ClassVar[Literal["covariate"]] = "covariate"
        modality: ClassVar[frozenset[Literal["image", "table"]]] = frozenset({"table"})
        strength: "NotDefinedAnywhere" = 2.0  # type: ignore[name-defined] # noqa: F821, UP037

        def change(self, dataset, chosen, rng):  # type: ignore[no-untyped-def]
            raise NotImplementedError

    yield Own
    PERTURBATIONS.unregister("own_kind")


def test_a_kind_of_ones_own_whose_annotation_cannot_be_read(own_kind: type) -> None:
    (control,) = plugin_controls(own_kind, {})
    control.widget.value = "0.5"
    assert control.words() == ["strength=0.5"]


def test_text_that_cannot_be_read_is_a_mistake() -> None:
    control = field_control(FIELDS["model_options"], {})
    control.widget.value = "width='12"
    with pytest.raises(SpecError, match="balanced quotes"):
        control.words()


def test_a_change_is_heard() -> None:
    control = field_control(FIELDS["epochs"], 10)
    heard = []
    control.on_change(lambda: heard.append(control.widget.value))
    control.widget.value = "12"
    assert heard == ["12"]


def test_names_are_text() -> None:
    assert field_control(FIELDS["epochs"], 10).widget.description_allow_html is False
