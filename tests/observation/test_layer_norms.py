"""Closed forms against autograd, layer by layer."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, prune

from hcat_nb.observation._layer_norms import form_bytes, is_supported, squared_norm

# layer, shape of one sample
CASES = {
    "linear": (nn.Linear(5, 4), (5,)),
    "linear_without_bias": (nn.Linear(5, 4, bias=False), (5,)),
    "linear_few_positions": (nn.Linear(30, 40), (3, 30)),
    "linear_many_positions": (nn.Linear(3, 2), (4, 5, 3)),
    "linear_of_one_input": (nn.Linear(1, 3), (6, 1)),
    "conv": (nn.Conv2d(2, 3, 3), (2, 7, 6)),
    "conv_few_positions": (nn.Conv2d(8, 9, 3), (8, 4, 4)),
    "conv_padded": (nn.Conv2d(2, 3, 3, padding=(1, 2)), (2, 5, 6)),
    "conv_same": (nn.Conv2d(2, 3, (4, 3), padding="same", dilation=(1, 2)), (2, 6, 7)),
    "conv_valid": (nn.Conv2d(2, 3, 3, padding="valid"), (2, 6, 7)),
    "conv_strided": (nn.Conv2d(3, 4, 3, stride=(2, 3), padding=1), (3, 8, 9)),
    "conv_dilated": (nn.Conv2d(2, 3, 3, dilation=(2, 1), padding=2), (2, 8, 8)),
    "conv_grouped": (nn.Conv2d(6, 4, 3, groups=2), (6, 5, 5)),
    "conv_depthwise": (nn.Conv2d(4, 8, 3, groups=4, stride=2, bias=False), (4, 7, 7)),
    "conv_circular": (nn.Conv2d(2, 3, 3, padding=1, padding_mode="circular"), (2, 5, 5)),
    "conv_reflect": (nn.Conv2d(2, 3, 3, padding=(2, 1), padding_mode="reflect"), (2, 5, 6)),
    "conv_1d": (nn.Conv1d(2, 3, 4, stride=2, padding=1, dilation=2), (2, 15)),
    "conv_3d": (nn.Conv3d(2, 3, 2, stride=(1, 2, 1), padding=(0, 1, 0)), (2, 4, 5, 3)),
    "batch_norm_1d": (nn.BatchNorm1d(5), (5,)),
    "batch_norm_2d": (nn.BatchNorm2d(3), (3, 4, 4)),
    "layer_norm": (nn.LayerNorm(6), (6,)),
    "layer_norm_of_tokens": (nn.LayerNorm((2, 6)), (5, 2, 6)),
    "layer_norm_without_bias": (nn.LayerNorm(6, bias=False), (3, 6)),
    "group_norm": (nn.GroupNorm(2, 6), (6, 3, 3)),
}


def one_by_one(layer: nn.Module, x: torch.Tensor, pull: torch.Tensor) -> torch.Tensor:
    """Return each sample's squared gradient norm, by a backward pass of its own."""
    trained = [one for one in layer.parameters() if one.requires_grad]
    squares = []
    for i in range(len(x)):
        grads = torch.autograd.grad((layer(x[i : i + 1]) * pull[i : i + 1]).sum(), trained)
        squares.append(sum(one.double().square().sum() for one in grads))
    return torch.stack(squares)


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def shaken(layer: nn.Module) -> nn.Module:
    """Return the layer in evaluation mode, with weights and statistics that are not 0 and 1."""
    for tensor in (*layer.parameters(), *layer.buffers()):
        if tensor.is_floating_point():
            nn.init.uniform_(tensor, 0.5, 2)
    return layer.eval()


@pytest.mark.parametrize("frozen", [None, "weight", "bias"])
@pytest.mark.parametrize("case", CASES)
def test_closed_form_equals_autograd(case, frozen):
    layer, shape = CASES[case]
    shaken(layer).requires_grad_(True)
    if frozen and (len(list(layer.parameters())) < 2):
        pytest.skip("nothing would be left to train")
    if frozen:
        getattr(layer, frozen).requires_grad_(False)
    assert is_supported(layer)
    x = torch.randn(6, *shape)
    y = layer(x)
    pull = torch.randn_like(y)  # the gradient that comes back to the output
    expected = one_by_one(layer, x, pull)
    # float32 products, summed over at most some hundred terms
    torch.testing.assert_close(squared_norm(layer, x, pull), expected, rtol=1e-5, atol=1e-8)
    assert form_bytes(layer, x, y.shape) > 0


@pytest.mark.parametrize("padding", [None, 2])
def test_embedding_counts_a_token_that_comes_twice_once_with_its_sum(padding):
    layer = nn.Embedding(5, 3, padding_idx=padding)
    x = torch.tensor([[1, 1, 2], [0, 4, 4], [2, 2, 2]])
    pull = torch.randn(3, 3, 3)
    expected = one_by_one(layer, x, pull)
    torch.testing.assert_close(squared_norm(layer, x, pull), expected, rtol=1e-5, atol=1e-8)
    assert form_bytes(layer, x, pull.shape) > 0


def test_gradients_that_cancel_are_zero_and_not_negative():
    layer = nn.Linear(40, 40)
    x = torch.randn(1, 1, 40).expand(4, 2, 40)
    half = torch.randn(4, 1, 40)
    squares = squared_norm(layer, x, torch.cat([half, -half], dim=1))
    assert (squares >= 0).all()
    # of terms of about 1e3, rounded to 24 bits
    assert squares.max() < 1e-2


class Own(nn.Linear):
    pass


@pytest.mark.parametrize(
    "layer",
    [
        Own(2, 2),
        parametrizations.weight_norm(nn.Linear(2, 2)),
        prune.l1_unstructured(nn.Linear(2, 2), "weight", 0.5),
        nn.BatchNorm1d(2, track_running_stats=False),
        nn.Embedding(3, 2, max_norm=1.0),
        nn.Embedding(3, 2, scale_grad_by_freq=True),
        nn.ConvTranspose2d(1, 1, 2),
        nn.LSTM(2, 2),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_layers_that_have_no_closed_form_here(layer):
    assert not is_supported(layer)
