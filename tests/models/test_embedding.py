"""Which layer gives the embedding, and what a network returns."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from hcat_nb.errors import ModelError
from hcat_nb.models._embedding import find_embedding, output_width


class Boxed(nn.Module):
    """Returns no tensor."""

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"out": x}


class Detour(nn.Module):
    """Linear layers that are registered in another order than they are used."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(3, 2)
        self.body = nn.Linear(4, 3)
        self.unused = nn.Linear(9, 9)

    def forward(self, x):
        return self.head(torch.relu(self.body(x)))


def test_the_last_linear_that_the_forward_reaches():
    net = Detour()
    assert find_embedding(net, torch.zeros(2, 4)) is net.head


def test_a_named_module():
    net = Detour()
    assert find_embedding(net, torch.zeros(2, 4), "body") is net.body


def test_an_unknown_module_names_the_nearest():
    with pytest.raises(ModelError, match=r"no module 'bodi'.*body"):
        find_embedding(nn.ModuleDict({"net": Detour()}), torch.zeros(2, 4), "bodi")


def test_without_a_linear_the_remedy_is_named():
    with pytest.raises(ModelError, match=r'no nn.Linear.*embedding="module.name"'):
        find_embedding(nn.Sequential(nn.Conv2d(1, 2, 1), nn.Flatten()), torch.zeros(2, 1, 1, 1))


def test_the_trial_changes_nothing():
    net = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 2))
    net[1].eval()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    assert output_width(net, torch.randn(2, 4)) == 2
    find_embedding(net, torch.randn(2, 4))
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    assert [module.training for module in net] == [True, False, True]
    assert not any(module._forward_pre_hooks for module in net.modules())


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (nn.Linear(5, 2), r"cannot take samples of shape \(4,\)"),
        (Boxed(), "returns a dict without logits"),
        (nn.Unflatten(1, (2, 2)), r"returns the shape \(2, 2, 2\)"),
    ],
)
def test_unsuitable_networks_are_named(net, message):
    with pytest.raises(ModelError, match=message):
        output_width(net, torch.zeros(2, 4))


def test_nan_logits_are_named():
    net = nn.Linear(4, 2)
    nn.init.constant_(net.bias, torch.nan)
    with pytest.raises(ModelError, match="NaN or infinity"):
        output_width(net, torch.zeros(2, 4))
