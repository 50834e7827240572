"""LeNet: the published sizes, any image."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from hcat_nb.errors import ModelError
from hcat_nb.models.lenet import LeNet


def n_parameters(net: nn.Module) -> int:
    return sum(one.numel() for one in net.parameters())


def test_one_channel_has_the_published_sizes():
    # conv 1-20, conv 20-50, linear 800-500, linear 500-10, each with bias
    expected = (25 * 20 + 20) + (20 * 25 * 50 + 50) + (800 * 500 + 500) + (500 * 10 + 10)
    assert n_parameters(LeNet((1, 28, 28), 10)) == expected


def test_three_channels_have_the_published_sizes():
    expected = (
        (3 * 25 * 6 + 6) + (6 * 25 * 16 + 16) + (400 * 120 + 120) + (120 * 84 + 84) + (84 * 10 + 10)
    )
    assert n_parameters(LeNet((3, 32, 32), 10)) == expected


@pytest.mark.parametrize(
    "shape",
    [(1, 8, 8), (1, 28, 28), (3, 32, 32), (1, 16, 16), (1, 15, 40), (4, 17, 33), (1, 4, 4)],
)
def test_any_size_and_channels(shape):
    assert LeNet(shape, 7)(torch.zeros(2, *shape)).shape == (2, 7)


def test_it_is_dropout_after_the_relu_and_before_the_pooling():
    """The benchmark's order, written out, on the same weights and with the same masks."""
    net = LeNet((1, 28, 28), 10).train()
    x = torch.randn(5, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    first, second = (layer for layer in net.features if isinstance(layer, nn.Conv2d))
    torch.manual_seed(1)
    got = net(x)
    torch.manual_seed(1)
    for convolution in (first, second):
        x = nn.functional.max_pool2d(nn.functional.dropout(convolution(x).relu(), 0.2), 2)
    assert torch.equal(got, net.classifier(x.flatten(1)))


def test_too_small_images_name_the_remedy():
    with pytest.raises(ModelError, match=r"3 x 9 pixels.*at least 4 x 4.*cnn"):
        LeNet((1, 3, 9), 10)
