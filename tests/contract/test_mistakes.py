"""A user's mistake is one line that says what to do, before training."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from torch import nn

from hcat_nb.api.characterize import characterize
from hcat_nb.errors import (
    DataError,
    HcatError,
    MissingDataError,
    ModelError,
    SpecError,
    StoreError,
    UnknownNameError,
)
from hcat_nb.spec import RunSpec
from hcat_nb.training.events import Listener

SMALL = {"epochs": 3, "seed": 0, "batch_size": 32}


def table() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(200, 4)), rng.integers(0, 3, 200)


def small_net() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))


def frozen_net() -> nn.Module:
    return small_net().requires_grad_(False)


class Unused(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.spare = nn.Linear(4, 3), nn.Linear(4, 3)

    def forward(self, x):
        return self.body(x)


class Started(Listener):
    started = False

    def on_start(self, event):
        self.started = True


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"dataset": "digitz"}, UnknownNameError, "nearest: digits"),
        ({"hardness": "unifrom"}, UnknownNameError, "nearest: uniform"),
        ({"model": "lenett"}, UnknownNameError, "nearest: lenet"),
        ({"methods": "aum,el2m"}, UnknownNameError, "nearest: el2n"),
        ({"epoch": 3}, UnknownNameError, "unknown option 'epoch'.*nearest: epochs"),
        ({"hardness": "uniform", "p": 1}, SpecError, r"p is 1.0; expected a proportion"),
        ({"hardness": "uniform", "p": 1e-5}, SpecError, "changes no sample of 178"),
        ({"hardness": "uniform", "p": 0.999}, SpecError, "p"),
        ({"hardness": "uniform", "hardness_options": {"x": 1}}, UnknownNameError, "'x'"),
        ({"method_options": {"el2n": {"att": 1}}}, UnknownNameError, "nearest: at"),
        ({"method_options": {"vogg": {"k": 1}}}, UnknownNameError, "vogg"),
        ({"model_options": {"widht": 3}}, UnknownNameError, "nearest: width"),
        ({"model": "lenet"}, ModelError, "does not take table data"),
        ({"embedding": "bodi"}, ModelError, "no module 'bodi'"),
        ({"device": "tpu"}, SpecError, "device is 'tpu'"),
        ({"epochs": 0}, SpecError, "epochs is 0"),
        ({"epochs": 1}, SpecError, "epochs=2 or more.*without vog"),
        (
            {"epochs": 10, "method_options": {"grand": {"at": 11}}},
            SpecError,
            "grand.at is 11.*at most 10",
        ),
        ({"subset": 10_000}, HcatError, "10,?000"),
    ],
)
def test_options(options, error, message):
    heard = Started()
    with pytest.raises(error, match=message) as caught:
        characterize(**({"spec": RunSpec("wine"), "listeners": [heard]} | options))
    assert "\n" not in str(caught.value)
    assert not heard.started


@pytest.mark.parametrize(
    ("x", "y", "error", "message"),
    [
        (np.zeros((0, 4)), [], DataError, "0 samples|no sample|empty"),
        (np.ones((9, 4)), [1] * 9, DataError, "1 class"),
        (np.ones((9, 4)), [0, 1] * 4, DataError, "9.*8"),
        (np.ones((4, 2)), [1, "1", 2, 2], DataError, "numbers and text"),
        (np.ones((4, 2)), [0.5, 1.0, 0.0, 2.7], DataError, "regression"),
        (np.array([[1, np.nan], [2, 3], [4, 5.0]]), [0, 1, 1], DataError, "NaN"),
        (np.ones((4, 2)), [0, None, 1, 1], DataError, "label"),
        (pd.DataFrame({"a": ["x", 7], "b": [1, 2]}), [0, 1], DataError, "'a' mixes numbers"),
        (pd.DataFrame({"a": [[1], [2, 3]], "b": [1, 2]}), [0, 1], DataError, "'a' holds .* list"),
    ],
)
def test_data(x, y, error, message):
    with pytest.raises(error, match=message):
        characterize(x, y, **SMALL)


def test_an_index_that_no_file_can_hold():
    frame = pd.DataFrame({"a": [1, 2, 3, 4], "y": [0, 1, 0, 1]}, index=[0, "b", 2, "d"])
    with pytest.raises(DataError, match=r"several types.*frame.index.map\(str\)"):
        characterize(frame, target="y", **SMALL)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": 3}, r"the model is 3"),
        ({"model": frozen_net}, r"no trainable parameter"),
        ({"model": small_net, "embedding": "spare"}, r"no module 'spare'"),
        ({"model": Unused, "embedding": "spare"}, r"does not pass through the module 'spare'"),
        ({"spec": {"epochs": 3}}, r"spec is a dict; expected a RunSpec"),
        ({"epochs": np.array([1, 2])}, r"epochs is array"),
    ],
)
def test_objects_of_the_wrong_kind(options, message):
    with pytest.raises(HcatError, match=message):
        characterize(*table(), **(SMALL | options))


def test_an_absent_target():
    with pytest.raises(HcatError, match=r"specie.*species"):
        characterize(pd.DataFrame({"a": [1, 2], "species": [0, 1]}), target="specie")


def test_an_absent_file(tmp_path):
    with pytest.raises(MissingDataError, match=str(tmp_path)):
        characterize("mnist", root=str(tmp_path), download=False)


def test_a_folder_that_is_taken_is_refused_before_training(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    heard = Started()
    with pytest.raises(StoreError, match="is no run"):
        characterize("wine", out=tmp_path, listeners=[heard])
    assert not heard.started
