"""A forward pass that autograd records, for several measurements that go back through it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from hcat_nb.observation._differentiable import differentiable
from hcat_nb.observation._layer_plan import Call, Tap
from hcat_nb.observation._single_channel import single_channel

__all__ = ["TracedForward", "traced_forward"]


@dataclass(frozen=True, eq=False)
class TracedForward:
    """A forward that was recorded; it may be followed back more than once.

    Parameters
    ----------
    logits : Tensor of shape (b, C)
    leaf : Tensor of shape (b, ...), float32, optional
        The raw samples, a copy, where gradients with respect to them can be taken.
    calls : mapping of Module to list of Call
        What entered the layers that were asked for, and where in the graph they are.
    """

    logits: Tensor
    leaf: Tensor | None = None
    calls: Mapping[nn.Module, Sequence[Call]] = field(default_factory=dict)


def traced_forward(
    model: nn.Module, x: Tensor, *, leaf: bool = True, layers: Sequence[nn.Module] = ()
) -> TracedForward:
    """Run raw samples through a model so that gradients can be taken.

    Parameters
    ----------
    model : Module
        In evaluation mode.
    x : Tensor of shape (b, ...), uint8 or float32
    leaf : bool
        Whether gradients with respect to the samples are wanted.
    layers : sequence of Module
        Layers of the model whose calls are recorded.
    """
    with ExitStack() as stack:
        stack.enter_context(differentiable(model))
        if leaf:
            stack.enter_context(single_channel(model))
            x = x.detach().to(torch.float32, copy=True).requires_grad_()
        calls = stack.enter_context(Tap(layers))
        return TracedForward(model(x), x if leaf else None, calls)
