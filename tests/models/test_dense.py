"""The default network for tables and texts: one hidden layer."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from hcat_nb.errors import ModelError
from hcat_nb.models.dense import Dense


def test_the_layers_are_those_of_the_specification():
    kinds = [type(layer) for layer in Dense((30,), 3).net]
    assert kinds == [nn.Flatten, nn.Linear, nn.ReLU, nn.Dropout, nn.Linear]
    widths = [tuple(one.weight.shape) for one in Dense((30,), 3).net if hasattr(one, "weight")]
    assert widths == [(256, 30), (3, 256)]
    assert Dense((30,), 3).net[3].p == 0.2


def test_images_are_flattened_and_the_width_is_an_option():
    net = Dense((1, 8, 8), 10, width=5)
    assert net.net[1].out_features == 5
    assert net(torch.zeros(2, 1, 8, 8)).shape == (2, 10)


def test_a_width_of_zero_is_refused():
    with pytest.raises(ModelError, match="positive whole numbers"):
        Dense((4,), 3, width=0)
