"""A forward pass that autograd records, for several measurements that go back through it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor, nn

from hcat_nb.errors import ModelError
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
    respect to them can be taken, or (b, d) a shift of their embeddings; ``calls``: what entered the
    layers that were asked for, and where in the graph they are.
    """

    logits: Tensor
    leaf: Tensor | None = None
    calls: Mapping[nn.Module, Sequence[Call]] = field(default_factory=dict)


def traced_forward(
    model: nn.Module,
    x: Tensor,
    *,
    leaf: bool = True,
    layers: Sequence[nn.Module] = (),
    tokens: nn.Embedding | None = None,
) -> TracedForward:
    """Run raw samples (b, ...) in evaluation mode so that gradients can be taken.

    The leaf is the samples, or, of what a model embeds by ``tokens``, a shift of zero that is added
    to each embedding of a sample but padding: its gradient is the sum of theirs.
    """
    with ExitStack() as stack:
        stack.enter_context(differentiable(model))
        leaves: list[Tensor] = []
        if leaf and tokens is not None:
            hook = tokens.register_forward_hook(partial(_shifted, leaves))
            stack.callback(hook.remove)
        elif leaf:
            x = x.detach().to(torch.float32, copy=True).requires_grad_()
            leaves.append(x)
        calls = stack.enter_context(Tap(layers))
        logits = model(x)
        if leaf and [len(one) for one in leaves] != [len(x)]:
            raise ModelError("the embedding layer is not called once, with a row for each sample")
        return TracedForward(logits, leaves[0] if leaf else None, calls)


def _shifted(
    leaves: list[Tensor], layer: nn.Embedding, inputs: tuple[Tensor], output: Tensor
) -> Tensor:
    leaf = output.new_zeros(len(output), output.shape[-1]).requires_grad_()
    leaves.append(leaf)
    shift = leaf.reshape(len(leaf), *(1,) * (output.dim() - 2), -1)
    if layer.padding_idx is not None:
        shift = shift * (inputs[0] != layer.padding_idx)[..., None]
    return output + shift
