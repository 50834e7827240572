"""Input gradients against finite differences and one row at a time."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from hcat_nb.errors import ModelError, SpecError
from hcat_nb.observation.input_gradients import InputGradients, traced_forward


@pytest.fixture
def net() -> nn.Module:
    torch.manual_seed(0)
    layers = nn.Linear(5, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Dropout(0.5), nn.Linear(8, 3)
    return nn.Sequential(*layers).eval()


@pytest.fixture
def data() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(7, 5, generator=generator), torch.arange(7) % 3


@pytest.mark.parametrize("of", ["logit", "softmax"])
@pytest.mark.parametrize("target", ["label", "predicted"])
def test_central_differences_in_float64(net, data, target, of):
    x, labels = data
    gradients = InputGradients(net, target, of).measure(x, labels)
    exact = net.double()

    def output(moved: torch.Tensor) -> np.ndarray:
        with torch.no_grad():
            logits = exact(moved)
            chosen = labels if target == "label" else exact(x.double()).argmax(1)
            made = logits.softmax(1) if of == "softmax" else logits
            return made.gather(1, chosen[:, None])[:, 0].numpy()

    step = 1e-5
    for column in range(5):
        shift = torch.zeros(5, dtype=torch.float64)
        shift[column] = step
        slope = (output(x.double() + shift) - output(x.double() - shift)) / (2 * step)
        # float32 gradients of order 1
        np.testing.assert_allclose(gradients[:, column], slope, rtol=1e-4, atol=1e-6)


def test_rows_do_not_see_each_other_nor_the_chunk(net, data):
    x, labels = data
    together = InputGradients(net)
    whole = together.measure(x, labels)
    alone = [InputGradients(net).measure(x[[i]], labels[[i]]) for i in range(7)]
    # another batch size may take another matrix kernel
    torch.testing.assert_close(whole, torch.cat(alone), rtol=1e-5, atol=1e-7)
    together._rows = 2
    torch.testing.assert_close(together.measure(x, labels), whole, rtol=1e-5, atol=1e-7)


def test_bytes_are_differentiated_as_numbers(data):
    net = nn.Sequential(nn.Flatten(), nn.Linear(12, 3))
    x = torch.arange(24, dtype=torch.uint8).reshape(2, 3, 2, 2)
    gradients = InputGradients(net).measure(x, torch.tensor([0, 2]))
    assert gradients.dtype == torch.float32
    assert torch.equal(gradients, net[1].weight[[0, 2]].reshape(2, 3, 2, 2))


def test_nothing_is_left_behind(net, data):
    before = {key: value.clone() for key, value in net.state_dict().items()}
    with torch.inference_mode():
        InputGradients(net).measure(*data)
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())
    assert all(one.grad is None for one in net.parameters())
    assert not data[0].requires_grad


class Tokens(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(4, 3)

    def forward(self, x):
        return self.embed(x.abs().long().clamp(max=3)).sum(1)


@pytest.mark.parametrize("trained", [True, False])
def test_a_model_that_is_not_differentiable_in_its_input(data, trained):
    with pytest.raises(ModelError, match=r"no gradient reaches.*leave out.*vog"):
        InputGradients(Tokens().requires_grad_(trained)).measure(*data)


@pytest.mark.parametrize("options", [{"target": "best"}, {"of": "loss"}])
def test_option_out_of_range(net, options):
    with pytest.raises(SpecError, match=r"is '.*expected"):
        InputGradients(net, **options)


def test_a_shared_forward_gives_the_same_and_serves_twice(net, data):
    x, labels = data
    traced = traced_forward(net, x)
    assert torch.equal(traced.logits, net(x))
    for of in ("logit", "softmax"):
        gradients = InputGradients(net, of=of)
        assert torch.equal(gradients.follow(traced, labels), gradients.measure(x, labels))
