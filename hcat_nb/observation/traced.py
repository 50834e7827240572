"""A forward pass that autograd records, for several measurements that go back through it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from hcat_nb.observation._layer_plan import Call, Tap


@contextmanager
def differentiable(model: nn.Module) -> Iterator[None]:
    """Record gradients inside the block; nothing outside of it changes.

    cuDNN's recurrent layers refuse a backward pass in evaluation mode, so
    those run without cuDNN here.
    """
    recurrent = any(isinstance(one, nn.RNNBase) for one in model.modules())
    allowed = torch.backends.cudnn.enabled and not recurrent
    with (
        torch.inference_mode(False),
        torch.enable_grad(),
        torch.backends.cudnn.flags(enabled=allowed),
    ):
        yield


@dataclass(frozen=True, eq=False)
class TracedForward:
    """A forward that was recorded; it may be followed back more than once.

    ``logits`` (b, C); ``leaf`` (b, ...) float32: the raw samples, a copy, where gradients with
    respect to them can be taken; ``calls``: what entered the layers that were asked for, and where
    in the graph they are.
    """

    logits: Tensor
    leaf: Tensor | None = None
    calls: Mapping[nn.Module, Sequence[Call]] = field(default_factory=dict)


def traced_forward(
    model: nn.Module, x: Tensor, *, leaf: bool = True, layers: Sequence[nn.Module] = ()
) -> TracedForward:
    """Run raw samples (b, ...) in evaluation mode so that gradients can be taken."""
    with ExitStack() as stack:
        stack.enter_context(differentiable(model))
        if leaf:
            x = x.detach().to(torch.float32, copy=True).requires_grad_()
        calls = stack.enter_context(Tap(layers))
        return TracedForward(model(x), x if leaf else None, calls)
