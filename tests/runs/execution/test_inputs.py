"""From what a user hands over to checked inputs."""

from __future__ import annotations

import pandas as pd
import pytest
import torch
from torch import nn

from hcat_nb.api.characterize import characterize
from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.errors import SpecError, UnknownNameError
from hcat_nb.runs.execution.inputs import (
    check_audience,
    load_dataset,
    make_methods,
    make_spec,
    perturbed,
)
from hcat_nb.spec import RunSpec
from hcat_nb.training.events import Control, Listener


def data(values: tuple) -> LabelledDataset:
    return LabelledDataset(
        "d", torch.zeros(4, 2), torch.tensor([0, 1, 1, -1]), values, pd.RangeIndex(4)
    )


def test_objects_are_recorded_as_the_users_own():
    spec = make_spec(object(), nn.Linear(1, 1), None, {"epochs": 2})
    assert (spec.dataset, spec.model, spec.epochs) == ("own", "own", 2)


def test_a_specification_of_an_object_needs_the_object():
    spec = make_spec(object(), nn.Linear(1, 1), None, {})
    with pytest.raises(SpecError, match="hand it over"):
        make_spec(None, None, spec, {})
    with pytest.raises(SpecError, match=r"the model .* hand it over"):
        make_spec("digits", None, spec, {})


def test_options_change_a_specification():
    assert make_spec("wine", "mlp", RunSpec(epochs=7), {"seed": 3}) == RunSpec(
        "wine", model="mlp", epochs=7, seed=3
    )


def test_methods_get_their_options():
    spec = RunSpec(methods=("el2n", "aum"), method_options={"el2n": {"at": 1}})
    aum, el2n = make_methods(spec)
    assert (aum.name, el2n.at) == ("aum", 1)


def test_one_variant_for_all_that_have_it_and_another_for_one():
    spec = RunSpec(variant="hcat", method_options={"vog": {"variant": "paper"}})
    variants = {method.name: getattr(method, "variant", None) for method in make_methods(spec)}
    # H-CAT's published code: these are computed as ours are, or ranked alike.
    assert variants.pop("loss") == "mean"
    assert variants.pop("vog") == "paper"
    assert {variants.pop(name) for name in ("cleanlab", "prototypicality")} == {None}
    assert set(variants.values()) == {"hcat"}
    plain = {getattr(method, "variant", None) for method in make_methods(RunSpec())}
    assert plain == {"paper", "mean", None}


def test_a_variant_that_goes_with_no_option_says_so():
    spec = RunSpec(variant="hcat", method_options={"aum": {"threshold_samples": True}})
    with pytest.raises(SpecError, match=r"H-CAT's variant knows no .*aum\.variant=paper"):
        make_methods(spec)


def test_options_of_the_dataset_reach_it():
    frame = pd.DataFrame({"a": [1, None, 3], "id": [7, 8, 9], "y": [0, 1, 1]})
    spec = make_spec(
        frame, None, None, {"target": "y", "dataset_options": {"impute": 5, "drop": "id"}}
    )
    assert load_dataset(frame, None, None, spec, None).features.ravel().tolist() == [1, 5, 3]


def test_options_of_the_run_are_none_of_the_dataset():
    spec = RunSpec("wine", dataset_options={"subset": 10})
    with pytest.raises(SpecError, match="subset is an option of the run"):
        load_dataset(None, None, None, spec, None)


def test_a_mapping_as_hardness_is_a_mixture_that_adds_up():
    spec = make_spec(
        "digits", None, None, {"hardness": {"uniform": 0.05, "zoom_shift": {"p": 0.1}}}
    )
    assert (spec.hardness, spec.p) == ("mixture", pytest.approx(0.15))
    assert spec.hardness_options == {"parts": {"uniform": 0.05, "zoom_shift": {"p": 0.1}}}
    given = make_spec("digits", None, None, {"hardness": {"uniform": 0.05}, "p": 0.2})
    assert given.p == 0.2  # contradicts, which the mixture refuses
    alias = make_spec("digits", None, None, {"hardness_type": {"uniform": 0.05}})
    assert alias.hardness == "mixture"
    for wrong in (None, "p=0.1"):
        with pytest.raises(SpecError, match="hardness_options is"):
            make_spec(
                "digits", None, None, {"hardness": {"uniform": 0.1}, "hardness_options": wrong}
            )


@pytest.mark.parametrize(
    ("listeners", "control", "message"),
    [
        (Listener(), None, "listeners is a Listener; expected a list"),
        (["bar"], None, "a listener is a str; expected an object"),
        ([Listener], None, "a listener is <class .*Listener.>; expected an object"),
        ((), True, "control is a bool; expected a Control"),
        (None, None, "listeners is a NoneType"),
    ],
)
def test_listeners_and_control_of_another_type_are_refused(listeners, control, message):
    with pytest.raises(SpecError, match=message):
        check_audience(listeners, control)


def test_a_flag_is_true_or_false():
    with pytest.raises(SpecError, match="keep_checkpoint is 'no'; expected True or False"):
        check_audience((), None, overwrite=True, keep_checkpoint="no")


def test_listeners_may_come_from_a_generator():
    one = Listener()
    assert check_audience((each for each in [one]), Control()) == (one,)


def test_the_epoch_mean_reaches_the_methods_that_average():
    options = {"epoch_mean": "second_half", "methods": "aum el2n grand"}
    aum, grand, el2n = make_methods(make_spec("wine", None, None, options))
    assert (aum.epochs, el2n.epochs) == ("second_half", "second_half")
    assert not hasattr(grand, "epochs")
    alone = {**options, "method_options": {"el2n": {"at": 2}, "aum": {"epochs": "all"}}}
    aum, _, el2n = make_methods(make_spec("wine", None, None, alone))
    assert (aum.epochs, el2n.epochs) == ("all", "all")
    with pytest.raises(SpecError, match="variant=hcat, which averages all epochs"):
        make_spec("wine", None, None, {**options, "variant": "hcat"})


def test_perturbed_is_what_a_run_trains_on() -> None:
    options = {"hardness": "uniform", "p": 0.2, "seed": 3, "data_seed": 4, "subset": 300}
    made = perturbed("digits", **options)
    run = characterize("digits", epochs=1, methods="el2n", **options)
    assert run.dataset is not None
    assert torch.equal(made.dataset.features, run.dataset.features)
    assert torch.equal(made.dataset.labels, run.dataset.labels)
    pd.testing.assert_frame_equal(made.truth, run.truth)


def test_perturbed_without_hardness_changes_nothing() -> None:
    assert repr(perturbed("wine")) == "<Perturbed: wine, 178 samples, 0 made hard>"


def test_perturbed_names_a_wrong_option() -> None:
    with pytest.raises(UnknownNameError, match="nearest: hardness"):
        perturbed("wine", hardnes="uniform")
