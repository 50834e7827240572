"""A recorded forward: the model's own output, and what can be reached from it."""

from __future__ import annotations

import torch
from torch import nn

from hcat_nb.observation.traced import differentiable, traced_forward

NET = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 3)).eval()
X = torch.arange(32, dtype=torch.uint8).reshape(2, 1, 4, 4)


@torch.no_grad()
def test_with_a_leaf_gradients_reach_the_samples_and_the_layers():
    layers = [NET[0], NET[3]]
    traced = traced_forward(NET.float(), X.float(), layers=layers)
    assert torch.equal(traced.logits, NET(X.float()))
    edges = [traced.calls[layer][0].edge for layer in layers]
    with torch.enable_grad():
        grads = torch.autograd.grad(traced.logits.sum(), [traced.leaf, *edges])
    assert [one.shape for one in grads] == [(2, 1, 4, 4), (2, 4, 2, 2), (2, 3)]
    assert not any(layer._forward_hooks or "forward" in vars(layer) for layer in layers)


@torch.no_grad()
def test_without_a_leaf_the_samples_enter_as_they_are():
    seen = []

    class Model(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen.append(x)
            return NET(x.float())

    traced = traced_forward(Model().eval(), X, leaf=False)
    assert traced.leaf is None
    assert seen[0] is X
    assert traced.logits.requires_grad
    assert not traced.calls


def test_gradients_are_recorded_within_inference_mode():
    net = nn.Linear(2, 1)
    with torch.inference_mode():
        with differentiable(net):
            assert net(torch.ones(1, 2)).requires_grad
        assert not net(torch.ones(1, 2)).requires_grad
        assert torch.is_inference_mode_enabled()


def test_recurrent_layers_do_without_cudnn():
    enabled = torch.backends.cudnn.enabled
    with differentiable(nn.Sequential(nn.GRU(2, 2))):
        assert not torch.backends.cudnn.enabled
    with differentiable(nn.Linear(2, 2)):
        assert torch.backends.cudnn.enabled == enabled
    assert torch.backends.cudnn.enabled == enabled
