"""The one vocabulary."""

from __future__ import annotations

import dataclasses
import json
import pathlib

import numpy as np
import pytest

from hcat_nb.errors import SpecError, UnknownNameError
from hcat_nb.registry import METHODS
from hcat_nb.spec import DEFAULTS, OPTION_ALIASES, RunSpec


def test_it_survives_json():
    spec = RunSpec("wine", methods=("aum", "el2n"), method_options={"el2n": {"at": 2}}, p=0.25)
    assert RunSpec.from_options(**json.loads(json.dumps(spec.to_dict()))) == spec


def test_objects_among_the_options_are_recorded_by_their_repr():
    options = {"source": range(3), "strength": (np.float64(0.5), 1), "root": pathlib.Path("x")}
    plain = RunSpec(hardness_options=options).to_dict()["hardness_options"]
    assert plain == {"source": "range(0, 3)", "strength": [0.5, 1], "root": "x"}
    assert json.loads(json.dumps(plain)) == plain


def test_every_option_has_help():
    assert all(item.metadata["help"] for item in dataclasses.fields(RunSpec))


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"methods": "aum, el2n"}, {"methods": ("aum", "el2n")}),
        ({"methods": "[aum,el2n]"}, {"methods": ("aum", "el2n")}),
        ({"methods": ["el2n", "all"]}, {"methods": ("all",)}),
        ({"methods": "data_uncert"}, {"methods": ("dataiq", "datamaps")}),
        ({"dataset": "cifar"}, {"dataset": "cifar10"}),
        ({"model_name": "ResNet"}, {"model": "resnet18"}),
        ({"hardness": "none"}, {"hardness": None}),
        ({"hardness": None, "p": "0.10", "epochs": "3"}, {"p": 0.1, "epochs": 3}),
        ({"hardness": None, "p": np.float32(0.5), "seed": np.int64(3)}, {"p": 0.5, "seed": 3}),
        ({"download": "false"}, {"download": False}),
        ({"download": np.bool_(True)}, {"download": True}),
        ({"epochs": 3.0}, {"epochs": 3}),
        ({"keep_dynamics": True}, {"keep_dynamics": "probs"}),
        ({"keep_dynamics": "false"}, {"keep_dynamics": "none"}),
    ],
)
def test_words_that_mean_the_same(given, meant):
    assert RunSpec.from_options(**given) == RunSpec(**meant)


PARTS = {"uniform": 0.05, "zoom_shift": {"p": 0.1, "strength": 2.0}}


@pytest.mark.parametrize("key", ["hardness", "hardness_type"])
def test_a_mapping_as_hardness_is_a_mixture_that_adds_up(key):
    spec = RunSpec.from_options(**{key: PARTS})
    assert (spec.hardness, spec.p) == ("mixture", pytest.approx(0.15))
    assert spec.hardness_options == {"parts": PARTS}
    assert RunSpec(p=0.3).replace(**{key: PARTS}) == spec
    assert RunSpec.from_options(**json.loads(json.dumps(spec.to_dict()))) == spec
    given = RunSpec.from_options(**{key: PARTS, "p": 0.2})
    assert given.p == 0.2  # contradicts, which the mixture refuses


@pytest.mark.parametrize("options", [None, "uniform=0.1"])
def test_options_beside_a_mixture_that_are_no_mapping_are_named(options):
    with pytest.raises(SpecError, match="hardness_options is"):
        RunSpec.from_options(hardness=PARTS, hardness_options=options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"p": float("nan")}, r"p is nan; expected a proportion in \[0, 1\)"),
        ({"p": -0.1}, "p is -0.1"),
        ({"prop": 0.2}, "p is 0.2, and no kind of hardness is given; expected both"),
        ({"epochs": 2.5}, "epochs is 2.5; expected a whole number, at least 1"),
        ({"epochs": True}, "epochs is True"),
        ({"batch_size": None}, "batch_size is None"),
        ({"seed": -1}, "seed is -1"),
        ({"download": "maybe"}, "download is 'maybe'; expected true or false"),
        ({"batch_size": 1}, "batch_size is 1; expected at least 2"),
        ({"lr": "fast"}, "lr is 'fast'; expected a positive number"),
        ({"on_bad_row": "dorp"}, r"on_bad_row is 'dorp'.*nearest: drop"),
        ({"methods": []}, "no methods are given"),
        ({"model": "lenet", "model_name": "mlp"}, "given twice"),
        ({"methods": "aum", "method_options": {"el2n": {}}}, "not among the methods"),
        ({"model_options": 3}, "model_options is 3; expected a mapping of options to values"),
        ({"model": 2.5}, "model is 2.5; expected one of .*lenet"),
        ({"methods": 3}, "methods is 3; expected names"),
        ({"method_options": {"el2n": None}}, r"method_options\['el2n'\] is None"),
        ({"root": 1.5}, "root is 1.5"),
        ({"model_options": [1]}, "model_options is"),
    ],
)
def test_values_out_of_range_are_refused(options, message):
    with pytest.raises(SpecError, match=message):
        RunSpec.from_options(**options)


def test_a_misspelt_option_names_the_nearest():
    with pytest.raises(UnknownNameError, match=r"'sead'.*nearest: seed"):
        RunSpec.from_options(sead=3)


def test_seeds_fall_back_on_the_seed():
    spec = RunSpec(seed=4, data_seed=7)
    assert (spec.effective_data_seed, spec.effective_model_seed) == (7, 4)


def test_method_names_stand_in_the_order_of_methods_md():
    assert RunSpec(methods=("loss", "aum")).method_names() == ["aum", "loss"]
    assert RunSpec().method_names() == METHODS.names()


def test_aliases_lead_to_options():
    names = {item.name for item in dataclasses.fields(RunSpec)}
    assert set(OPTION_ALIASES.values()) <= names
    assert not OPTION_ALIASES.keys() & names


def test_it_is_frozen_and_copied_with_changes():
    spec = RunSpec(epochs=3)
    with pytest.raises(dataclasses.FrozenInstanceError):
        spec.epochs = 4
    assert spec.replace(epochs=4).epochs == 4
    assert spec.epochs == 3


def test_paths_become_text():
    assert RunSpec(root=pathlib.Path("data")).root == "data"


def test_dynamics_kept_before_they_had_kinds_are_probabilities():
    assert RunSpec.recorded(RunSpec().to_dict() | {"keep_dynamics": True}).keep_dynamics == "probs"
    with pytest.raises(SpecError, match="keep_dynamics is 'all'; expected one of none, probs, log"):
        RunSpec(keep_dynamics="all")


def test_what_was_recorded_before_defaults_had_generations_is_of_the_first():
    old = RunSpec().to_dict()
    del old["defaults"]
    assert RunSpec.recorded(old).defaults == 1
    assert RunSpec.recorded(RunSpec().to_dict()).defaults == RunSpec().defaults == DEFAULTS
    assert RunSpec(variant="hcat").effective_defaults == 1


@pytest.mark.parametrize("option", [{"variant": "hcat"}, {"keep_dynamics": "logits"}])
def test_what_needs_the_end_of_epochs_is_refused_without_a_pass(option):
    with pytest.raises(SpecError, match="observe=training, and"):
        RunSpec(observe="training", **option)
