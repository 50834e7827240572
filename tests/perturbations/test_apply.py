from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
import torch

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.errors import DataError, SpecError, UnknownNameError
from hcat_nb.perturbations._apply import make_perturbation, perturb
from hcat_nb.perturbations._labels import LabelNoise
from hcat_nb.perturbations.adjacent import Adjacent
from hcat_nb.perturbations.uniform import Uniform
from hcat_nb.registry import PERTURBATIONS, register

DATA = LabelledDataset(
    "toy", torch.zeros(60, 2), torch.arange(60) % 3, ("low", "mid", "top"), pd.RangeIndex(60)
)


def test_a_name_an_alias_and_an_object_give_the_same():
    wanted = Uniform()(DATA, 0.2, 4).truth
    for hardness in ("uniform", "Uniform", "mislabeling", Uniform()):
        pd.testing.assert_frame_equal(perturb(DATA, hardness, 0.2, seed=4).truth, wanted)


def test_options_reach_the_perturbation():
    order = ["low", "top", "mid"]
    wanted = Adjacent(order=order)(DATA, 0.2, 0).truth
    for hardness in ("adjacent", Adjacent()):
        pd.testing.assert_frame_equal(perturb(DATA, hardness, 0.2, order=order).truth, wanted)


@pytest.mark.parametrize("hardness", [None, "none"])
def test_no_hardness(hardness):
    result = perturb(DATA, hardness, 0.3)
    assert result.dataset is DATA
    assert not result.truth.is_hard.any()
    with pytest.raises(UnknownNameError, match="unknown option 'order' of the hardness 'none'"):
        perturb(DATA, hardness, 0.3, order=[1])


@pytest.mark.parametrize("hardness", ["adjacent", Adjacent()])
def test_an_unknown_option_names_the_nearest(hardness):
    with pytest.raises(
        UnknownNameError, match=r"'ordr' of the hardness 'adjacent'.*nearest: order"
    ):
        perturb(DATA, hardness, 0.2, ordr=[1])


def test_an_option_of_a_hardness_that_has_none():
    @dataclass(frozen=True)
    class Next(LabelNoise):
        name: ClassVar[str] = "next"
        title: ClassVar[str] = "the next class"

        def transition(self, dataset):
            return np.roll(np.eye(3), 1, axis=1)

    with pytest.raises(UnknownNameError, match="'next'; expected no options"):
        perturb(DATA, Next(), 0.2, order=[1])


def test_a_mapping_is_a_mixture_and_needs_no_p():
    result = perturb(DATA, {"uniform": 0.1, "adjacent": {"p": 0.2, "order": ["low", "top", "mid"]}})
    counts = result.truth.hardness.value_counts()
    assert counts.to_dict() == {"none": 42, "adjacent": 12, "uniform": 6}
    with pytest.raises(SpecError, match="p is None; expected a proportion"):
        perturb(DATA, "uniform")


def test_options_of_an_object_change_a_copy():
    plain = Adjacent()
    assert make_perturbation(plain, order=["low", "top", "mid"]).order == ["low", "top", "mid"]
    assert plain.order is None


def test_an_unknown_name_names_the_nearest():
    with pytest.raises(UnknownNameError, match="nearest: uniform"):
        perturb(DATA, "unifrom", 0.2)


@pytest.mark.parametrize("hardness", [3, Uniform, ["uniform"]])
def test_what_is_no_hardness(hardness):
    with pytest.raises(SpecError, match="expected a name"):
        perturb(DATA, hardness, 0.2)


def test_a_users_own_perturbation_works_by_name():
    @register
    @dataclass(frozen=True)
    class Rotated(Uniform):
        name: ClassVar[str] = "rotated"
        title: ClassVar[str] = "Next class"

    try:
        assert set(perturb(DATA, "rotated", 0.2).truth.hardness) == {"none", "rotated"}
    finally:
        PERTURBATIONS.unregister("rotated")


def test_what_is_no_dataset_is_named():
    with pytest.raises(DataError, match=r"the dataset is a str.*hcat.load"):
        perturb("wine", "uniform", 0.1)
