"""The price of a row is measured, and the budget decides how many are bought."""

from __future__ import annotations

import gc
import weakref

import torch
from torch import nn

from hcat_nb.observation._memory import BUDGET, bytes_per_row, rows_within


def test_the_price_is_what_autograd_keeps_for_one_row():
    net = nn.Sequential(nn.Linear(10, 100), nn.Tanh(), nn.Linear(100, 3))
    x = torch.randn(7, 10)
    # the input of each linear layer and the result of tanh, float32; not the weights
    assert bytes_per_row(net, x) == 4 * (10 + 100 + 100)
    assert bytes_per_row(net, x[:1]) == bytes_per_row(net, x)


def test_what_was_weighed_is_let_go():
    net = nn.Sequential(nn.Linear(10, 100), nn.ReLU(), nn.Linear(100, 3))
    bytes_per_row(net, torch.randn(2, 10))
    weight = weakref.ref(net[0].weight)
    del net
    gc.collect()
    assert weight() is None


def test_a_model_without_parameters_costs_at_least_one_byte():
    assert bytes_per_row(nn.Identity(), torch.zeros(1, 5)) == 1


def test_dear_rows_come_one_by_one():
    cpu = torch.device("cpu")
    assert rows_within(BUDGET["cpu"] * 10, cpu) == 1
    assert rows_within(BUDGET["cpu"] // 200, cpu) == 100  # forward and backward
