"""The MLP of the benchmark, without H-CAT's ReLU on the logits."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from hcat_nb.errors import ModelError
from hcat_nb.models.mlp import MLP


def test_widths_are_the_published_ones():
    widths = [layer.out_features for layer in MLP((30,), 3).net if isinstance(layer, nn.Linear)]
    assert widths == [256, 128, 64, 32, 16, 8, 3]


def test_logits_can_be_negative():
    torch.manual_seed(0)
    logits = MLP((4,), 3).eval()(torch.randn(500, 4))
    assert (logits < 0).any()


def test_images_are_flattened():
    assert MLP((1, 8, 8), 10)(torch.zeros(2, 1, 8, 8)).shape == (2, 10)


def test_a_width_of_zero_is_refused():
    with pytest.raises(ModelError, match=r"\[16, 0\].*positive whole numbers"):
        MLP((4,), 3, hidden=[16, 0])
