"""A training that goes on from its parts is the training that never paused."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from hcat_nb.errors import ModelError
from hcat_nb.training.moving_parts import MovingParts
from hcat_nb.training.seed import isolated_rng

CPU = torch.device("cpu")


def parts(seed: int = 0, width: int = 4) -> MovingParts:
    with isolated_rng(seed):
        model = nn.Sequential(
            nn.Linear(3, width), nn.BatchNorm1d(width), nn.Dropout(0.5), nn.Linear(width, 2)
        )
    model[3].bias.requires_grad_(False)
    trained = [one for one in model.parameters() if one.requires_grad]
    optimizer = torch.optim.Adam(trained, lr=0.1)
    return MovingParts(model, optimizer, torch.Generator().manual_seed(seed), CPU)


def steps(moving: MovingParts, n: int) -> None:
    x = torch.arange(24.0).reshape(8, 3) / 10
    y = torch.arange(8) % 2
    for _ in range(n):
        rows = torch.randperm(8, generator=moving.order)
        moving.optimizer.zero_grad()
        nn.functional.cross_entropy(moving.model(x[rows]), y[rows]).backward()
        moving.optimizer.step()


def test_it_goes_on_bit_by_bit():
    whole, first, second = parts(), parts(), parts(seed=1)
    with isolated_rng(7):
        steps(whole, 5)
    with isolated_rng(7):
        steps(first, 2)
        state = first.state()
    with isolated_rng(8):
        second.load_state(state)
        steps(second, 3)
    weights = whole.model.state_dict()
    assert all(torch.equal(weights[key], value) for key, value in second.model.state_dict().items())
    assert torch.equal(whole.order.get_state(), second.order.get_state())


def test_the_optimizer_keeps_the_layout_of_its_parameters():
    def made() -> MovingParts:
        with isolated_rng(0):
            model = nn.Conv2d(2, 3, 3).to(memory_format=torch.channels_last)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.1, fused=True)
        return MovingParts(model, optimizer, torch.Generator(), CPU)

    def step(moving: MovingParts) -> None:
        moving.optimizer.zero_grad()
        x = torch.arange(50.0).reshape(1, 2, 5, 5) / 50
        moving.model(x.contiguous(memory_format=torch.channels_last)).square().sum().backward()
        moving.optimizer.step()

    whole, first, second = made(), made(), made()
    for moving in (whole, first):
        step(moving)
    # What a file gives back is contiguous.
    second.load_state({key: value.contiguous() for key, value in first.state().items()})
    for moving in (whole, second):
        step(moving)
    assert torch.equal(whole.model.weight, second.model.weight)


def test_the_state_is_a_copy():
    moving = parts()
    with isolated_rng(0):
        steps(moving, 1)
        state = moving.state()
        before = {key: value.clone() for key, value in state.items()}
        steps(moving, 1)
    assert all(torch.allclose(before[key], state[key], 0, 0, True) for key in before)  # NaN: none
    assert not torch.equal(state["model/0.weight"], moving.model[0].weight)


def test_another_model_is_named():
    with pytest.raises(ModelError, match=r"0\.weight was of shape \(5, 3\) and is .*\(4, 3\)"):
        parts().load_state(parts(width=5).state())
    state = parts().state() | {"model/4.weight": torch.zeros(1)}
    with pytest.raises(ModelError, match=r"4\.weight was of shape \(1,\) and is absent"):
        parts().load_state(state)
