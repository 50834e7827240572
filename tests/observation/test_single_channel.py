"""The way back through one-channel convolutions, against autograd's own."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from hcat_nb.observation._single_channel import single_channel

X = torch.randn(3, 1, 11, 9, generator=torch.Generator().manual_seed(0))


def gradient(net: nn.Module) -> tuple[torch.Tensor, torch.Tensor]:
    leaf = X.clone().requires_grad_()
    out = net(leaf)
    (grad,) = torch.autograd.grad(out.square().sum(), leaf)
    return out.detach(), grad


@pytest.mark.parametrize(
    "options",
    [
        {"kernel_size": 3},
        {"kernel_size": (5, 2), "bias": False},
        {"kernel_size": 3, "padding": 2, "stride": 2},
        {"kernel_size": 2, "dilation": (3, 2), "padding": (0, 1), "stride": (1, 3)},
        {"kernel_size": 1},
    ],
)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_it_is_autograds_gradient(options, layout):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 6, **options), nn.Tanh(), nn.Conv2d(6, 2, 1))
    net = net.to(memory_format=layout)
    expected = gradient(net)
    with single_channel(net):
        out, grad = gradient(net)
    assert torch.equal(out, expected[0])
    # sums of at most 150 float32 products in another order
    torch.testing.assert_close(grad, expected[1], rtol=1e-5, atol=1e-5)


def test_layers_are_left_as_they_were_even_after_an_error():
    net = nn.Conv2d(1, 2, 3)
    with single_channel(net):
        assert "forward" in vars(net)
    assert "forward" not in vars(net)
    # three channels for one
    with pytest.raises(RuntimeError, match="channels"), single_channel(net):
        net(torch.zeros(1, 3, 5, 5))
    assert "forward" not in vars(net)


class Own(nn.Conv2d):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 2 * super().forward(x)


@pytest.mark.parametrize(
    "layer",
    [
        Own(1, 2, 3),
        nn.Conv2d(3, 2, 3),
        nn.Conv2d(1, 2, 3, padding=1, padding_mode="reflect"),
        nn.Conv2d(1, 2, 3, padding="same"),
        nn.Conv2d(1, 2, 3).double(),
        nn.Conv1d(1, 2, 3),
    ],
)
def test_other_layers_are_not_touched(layer):
    with single_channel(layer):
        assert "forward" not in vars(layer)


def test_a_forward_that_somebody_replaced_stays():
    net = nn.Conv2d(1, 2, 3)
    net.forward = lambda x: x  # type: ignore[method-assign]
    mine = net.forward
    with single_channel(net):
        assert net.forward is mine
    assert net.forward is mine


def test_one_image_without_a_batch():
    net = nn.Conv2d(1, 2, 3)
    with single_channel(net):
        assert torch.equal(net(X[0]), nn.functional.conv2d(X[0], net.weight, net.bias))
