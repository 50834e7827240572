"""ResNet-18 in its small-image form."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from hcat_nb.models.resnet18 import ResNet18


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 8, 8)])
def test_it_maps_small_images_to_logits(shape):
    assert ResNet18(shape, 5).eval()(torch.zeros(2, *shape)).shape == (2, 5)


def test_the_stem_keeps_the_resolution():
    net = ResNet18((3, 32, 32), 10).eval()
    seen = []
    net.net.layer1.register_forward_pre_hook(lambda _m, inputs: seen.append(inputs[0].shape))
    net(torch.zeros(1, 3, 32, 32))
    assert seen == [(1, 64, 32, 32)]


def test_it_has_18_weighted_layers_and_dropout_before_three_stages():
    net = ResNet18((3, 32, 32), 10)
    main_path = [
        module
        for name, module in net.named_modules()
        if isinstance(module, nn.Conv2d | nn.Linear) and "downsample" not in name
    ]
    assert len(main_path) == 18
    assert sum(isinstance(module, nn.Dropout) for module in net.modules()) == 3
