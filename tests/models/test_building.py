"""Names, modules, classes and functions become networks."""

from __future__ import annotations

import pandas as pd
import pytest
import torch
from torch import nn

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.errors import ModelError, UnknownNameError
from hcat_nb.models._building import build_network, default_model, model_name
from hcat_nb.models.cnn import CNN
from hcat_nb.models.dense import Dense
from hcat_nb.models.lenet import LeNet

TABLE = LabelledDataset(
    "t", torch.randn(6, 4), torch.tensor([0, 1, 2, 0, 1, 2]), (0, 1, 2), pd.RangeIndex(6)
)
IMAGES = LabelledDataset(
    "i",
    torch.zeros(4, 1, 8, 8, dtype=torch.uint8),
    torch.tensor([0, 1, 0, 1]),
    (0, 1),
    pd.RangeIndex(4),
    value_range=(0, 255),
)


def test_auto_takes_cnn_for_images_and_dense_for_tables():
    assert isinstance(build_network("auto", IMAGES, {}), CNN)
    assert isinstance(build_network("auto", TABLE, {}), Dense)
    assert (model_name("auto", IMAGES), model_name("auto", TABLE)) == ("cnn", "dense")


def test_the_first_defaults_were_lenet_and_mlp():
    assert (default_model(IMAGES, 1), default_model(TABLE, 1)) == ("lenet", "mlp")


def test_hcat_names_work():
    assert isinstance(build_network("LeNet", IMAGES, {}), LeNet)


def test_a_module_is_copied_weights_included():
    mine = nn.Linear(4, 3)
    copy = build_network(mine, TABLE, {})
    assert copy is not mine
    assert torch.equal(copy.weight, mine.weight)


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.Linear(4, 3),
        lambda n_classes: nn.Linear(4, n_classes),
        lambda sample_shape, n_classes: nn.Linear(sample_shape[0], n_classes),
        lambda sample_shape, n_classes, bias=False: nn.Linear(sample_shape[0], n_classes, bias),
    ],
)
def test_a_function_gets_what_it_requires(make):
    net = build_network(make, TABLE, {})
    assert (net.in_features, net.out_features) == (4, 3)


def test_options_reach_the_model():
    net = build_network("mlp", TABLE, {"hidden": [5], "dropout": 0.0})
    assert [layer.out_features for layer in net.net if isinstance(layer, nn.Linear)] == [5, 3]


@pytest.mark.parametrize(
    ("model", "options", "error", "message"),
    [
        ("mpl", {}, UnknownNameError, "nearest: mlp"),
        ("lenet", {}, ModelError, "does not take table data.*use the model dense"),
        ("mlp", {"hiden": [4]}, UnknownNameError, "no option 'hiden'.*nearest: hidden"),
        (lambda: "net", {}, ModelError, "made a str"),
        (lambda a, b, c: None, {}, ModelError, "requires 3 arguments"),
        (nn.Linear(4, 3), {"bias": False}, ModelError, "built already"),
    ],
)
def test_mistakes_are_named(model, options, error, message):
    with pytest.raises(error, match=message):
        build_network(model, TABLE, options)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_a67_other_precisions_are_trained_in_float32_and_told(dtype):
    notes: list[str] = []
    net = build_network(nn.Linear(4, 3).to(dtype), TABLE, {}, notes)
    assert net.weight.dtype == torch.float32
    assert notes == [f"the module was in {dtype}; it is trained in torch.float32"]
    assert build_network(lambda: nn.Linear(4, 3).to(dtype), TABLE, {}).bias.dtype == torch.float32


def test_a67_compiled_modules_are_taken_apart_and_told():
    plain = nn.Sequential(nn.Linear(4, 3), nn.ReLU())
    inner = nn.Sequential(torch.compile(plain[0]), plain[1])
    for mine in (torch.compile(plain), inner):
        notes: list[str] = []
        net = build_network(mine, TABLE, {}, notes)
        assert torch.equal(net[0].weight, plain[0].weight)
        assert type(net[0]) is nn.Linear
        assert "torch.compile is undone" in notes[0]
    assert type(inner[0]) is not nn.Linear  # the user's own is left alone


class Sizes(nn.Linear):
    """Takes numbers."""


@pytest.mark.filterwarnings("ignore:.*torch.jit")
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Sizes,
            r"Sizes\(\(4,\), 3\) fails: TypeError.*lambda shape, n_classes: Sizes",
        ),
        (lambda: torch.jit.trace(nn.Linear(4, 3), torch.ones(2, 4)), "torch.jit.*a function that"),
    ],
)
def test_a67_what_cannot_be_made_says_so_in_one_line(make, message):
    with pytest.raises(ModelError, match=message) as error:
        build_network(make(), TABLE, {})
    assert "\n" not in str(error.value)
