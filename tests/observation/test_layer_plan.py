"""Which layers qualify for a closed form."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import linear
from torch.utils.checkpoint import checkpoint

from hcat_nb.observation._layer_plan import Tap, make_plan, uses_batch_statistics


class Net(nn.Module):
    """Two linear layers, put together by a function."""

    def __init__(self, compute, **parts):
        super().__init__()
        self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 3)
        self.compute = compute
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        return self.compute(self, x)


def planned(net: nn.Module) -> tuple[set[str], set[str]]:
    """Return the names of the layers in closed form, and of the other parameters."""
    plan = make_plan(net.eval(), torch.randn(1, 4))
    names = {module: name for name, module in net.named_modules()}
    return {names[layer] for layer in plan.layers}, set(plan.others)


A = {"a.weight", "a.bias"}
B = {"b.weight", "b.bias"}


def test_a_plain_network_needs_nothing_else():
    assert planned(Net(lambda net, x: net.b(torch.relu_(net.a(x))))) == ({"a", "b"}, set())


def test_a_layer_that_is_called_by_keyword():
    assert planned(Net(lambda net, x: net.b(input=net.a(input=x)))) == ({"a", "b"}, set())


def test_a_layer_that_is_applied_twice():
    assert planned(Net(lambda net, x: net.b(net.a(net.a(x))))) == ({"b"}, A)


def test_a_weight_that_is_used_beside_its_layer():
    assert planned(Net(lambda net, x: net.b(net.a(x) @ net.a.weight))) == ({"b"}, A)


def test_a_weight_that_is_used_without_its_layer():
    compute = lambda net, x: net.b(linear(x, net.a.weight, net.a.bias))  # noqa: E731
    assert planned(Net(compute)) == ({"b"}, A)


def test_a_weight_that_two_layers_share():
    net = Net(lambda net, x: net.b(net.c(net.a(x))), c=nn.Linear(4, 4))
    net.c.weight = net.a.weight
    assert planned(net) == ({"b"}, {*A, "c.bias"})


def test_samples_that_are_not_on_the_first_axis():
    flattened = Net(lambda net, x: net.b(net.a(x.repeat_interleave(2, 0))[::2]))
    assert planned(flattened) == ({"b"}, A)
    turned = Net(lambda net, x: net.b(net.a(x[None].expand(3, -1, -1)).mean(0)))
    assert planned(turned) == ({"b"}, A)


def test_a_layer_of_the_users_own_and_frozen_ones():
    net = Net(lambda net, x: net.b(net.a(x) * net.scale), scale=nn.Parameter(torch.ones(4)))
    net.a.requires_grad_(False)
    assert planned(net) == ({"b"}, {"scale"})


def test_a_layer_that_the_output_does_not_depend_on():
    assert planned(Net(lambda net, x: (net.a(x), net.b(x))[1])) == ({"b"}, A)


def test_a_checkpointed_layer_is_in_the_graph_and_an_older_checkpoint_hides_it():
    new = Net(lambda net, x: net.b(checkpoint(net.a, x, use_reentrant=False)))
    assert planned(new) == ({"a", "b"}, set())

    def compute(net, x):
        return net.b(checkpoint(net.a, x.clone().requires_grad_(), use_reentrant=True))

    assert planned(Net(compute)) == ({"b"}, A)


def test_gradients_are_those_before_an_activation_in_place():
    layer = nn.Linear(2, 2)
    x = torch.randn(5, 2)
    with Tap([layer]) as calls:
        y = torch.relu_(layer(x))
    (g,) = torch.autograd.grad(y.sum(), [calls[layer][0].edge])
    assert torch.equal(g, (layer(x) > 0).float())
    assert not layer._forward_hooks


def test_batch_norm_without_running_statistics_mixes_samples():
    assert uses_batch_statistics(nn.Sequential(nn.BatchNorm1d(2, track_running_stats=False)))
    assert not uses_batch_statistics(nn.Sequential(nn.BatchNorm1d(2), nn.InstanceNorm1d(2)))
