"""Rows in, logits out, whatever the module takes."""

from __future__ import annotations

from types import SimpleNamespace

import torch
from torch import nn

from hcat_nb.models._watched import Items, WatchedModel, call, to


def test_batches_of_every_kind_reach_the_module():
    x = torch.ones(2, 3)
    assert torch.equal(call(nn.Identity(), x), x)
    assert torch.equal(call(nn.Identity(), [x, None]), x)

    class Named(nn.Module):
        def forward(self, a, b):
            return a + b

    assert torch.equal(call(Named(), {"a": x, "b": x, "labels": x}), 2 * x)


def test_items_are_put_together_by_their_numbers():
    items = Items(["a", "bb", "ccc"], lambda some: {"n": torch.tensor([len(one) for one in some])})
    assert items(torch.tensor([[2.0], [0.0]]))["n"].tolist() == [3, 1]


def test_everything_that_holds_tensors_moves():
    made = to({"a": [torch.ones(1), "word"], "b": (torch.ones(1), 3)}, torch.device("meta"))
    assert made["a"][0].is_meta
    assert made["b"][0].is_meta
    assert made["a"][1] == "word"
    assert made["b"][1] == 3


def test_the_logits_of_an_output_are_taken():
    class Wrapped(nn.Module):
        def forward(self, x):
            return SimpleNamespace(logits=2 * x)

    net = Wrapped()
    model = WatchedModel(net, lambda x: x + 1, None, torch.device("cpu"))
    assert model(torch.zeros(1, 2)).tolist() == [[2, 2]]
    assert model.returns == "SimpleNamespace"
    own = WatchedModel(net, lambda x: x, lambda net, x: net(x).logits * 10, torch.device("cpu"))
    assert own(torch.ones(1, 2)).tolist() == [[20, 20]]
