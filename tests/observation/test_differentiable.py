"""Gradients inside, nothing changed outside."""

from __future__ import annotations

import torch
from torch import nn

from hcat_nb.observation._differentiable import differentiable


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
