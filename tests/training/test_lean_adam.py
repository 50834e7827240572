"""The lean optimizer is torch's, bit by bit."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from hcat_nb.training.lean_adam import LeanAdam


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 4), nn.Linear(4, 2))


def losses(net: nn.Sequential, skip: bool) -> torch.Tensor:
    x = torch.arange(24.0).reshape(8, 3) / 10
    hidden = net[2](net[1](net[0](x)))
    # Now and then the last layer has no part in it.
    return hidden.square().sum() if skip else net[3](hidden).square().sum()


@pytest.mark.parametrize("skips", [(), (0,), (2, 3), (0, 1, 2, 3, 4, 5)])
def test_steps_are_torchs_to_the_bit(skips):
    ours, theirs = network(), network()
    lean = LeanAdam(ours.parameters(), lr=0.1)
    plain = torch.optim.Adam(theirs.parameters(), lr=0.1, fused=True)
    for step in range(6):
        lean.zero_grad()
        losses(ours, step in skips).backward()
        lean.step()
        plain.zero_grad()
        losses(theirs, step in skips).backward()
        plain.step()
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(one, other)
    mine, its = lean.state_dict()["state"], plain.state_dict()["state"]
    assert mine.keys() == its.keys()
    assert all(torch.equal(mine[i][key], its[i][key]) for i in its for key in its[i])


def test_it_goes_on_from_a_state():
    whole, first, second = network(), network(), network()
    optimizers = [LeanAdam(net.parameters(), lr=0.1) for net in (whole, first, second)]

    def train(net: nn.Sequential, optimizer: LeanAdam, steps: int) -> None:
        for _ in range(steps):
            optimizer.zero_grad()
            losses(net, False).backward()
            optimizer.step()

    train(whole, optimizers[0], 6)
    train(first, optimizers[1], 3)
    train(second, optimizers[2], 2)  # its moments are not those that it goes on from
    second.load_state_dict(first.state_dict())
    optimizers[2].load_state_dict(optimizers[1].state_dict())
    train(second, optimizers[2], 3)
    for one, other in zip(whole.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)


def test_complex_parameters_are_trained_too():
    weight = nn.Parameter(torch.ones(2, dtype=torch.complex64))
    optimizer = LeanAdam([weight], lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        weight.abs().sum().backward()
        optimizer.step()
    assert (weight.detach().abs() < 1).all()
