"""The default network for images: its layers, and any size of image."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from hcat_nb.models.cnn import CNN


def test_the_layers_are_those_of_the_specification():
    net = CNN((3, 32, 32), 10)
    shapes = [tuple(one.weight.shape) for one in net.modules() if isinstance(one, nn.Conv2d)]
    assert shapes == [(16, 3, 3, 3), (32, 16, 3, 3), (64, 32, 3, 3)]
    assert all(one.bias is None for one in net.modules() if isinstance(one, nn.Conv2d))
    assert [one.p for one in net.modules() if isinstance(one, nn.Dropout)] == [0.2]


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 33, 17)])
def test_it_is_three_blocks_with_pooling_between_them(shape):
    """The blocks in the order of the specification, written out, on the same weights."""
    torch.manual_seed(0)
    net = CNN(shape, 5).eval()
    x = torch.randn(4, *shape)
    norms = [one for one in net.modules() if isinstance(one, nn.BatchNorm2d)]
    for norm in norms:  # as if trained: with signs of both kinds
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.running_mean)
    got = net(x)
    convolutions = [one for one in net.modules() if isinstance(one, nn.Conv2d)]
    for number, (convolution, norm) in enumerate(zip(convolutions, norms, strict=True)):
        x = norm(convolution(x)).relu()
        if number < 2:
            x = nn.functional.max_pool2d(x, 2)
    (linear,) = (one for one in net.modules() if isinstance(one, nn.Linear))
    assert torch.allclose(got, linear(x.mean(dim=(2, 3))), atol=1e-5)


@pytest.mark.parametrize("side", [1, 2, 3, 4, 7, 8])
@pytest.mark.parametrize("channels", [1, 3])
def test_small_images_are_pooled_while_there_is_something_to_pool(side, channels):
    net = CNN((channels, side, side + 1), 3)
    assert net(torch.zeros(2, channels, side, side + 1)).shape == (2, 3)
