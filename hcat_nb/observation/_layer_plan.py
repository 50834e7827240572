"""Which layers of a model may be measured in closed form.

A closed form sees only what passes through one call of one layer.  So a
layer qualifies if, in a traced forward, it is called once, its first axis is
that of the samples, and nothing but that call uses its parameters; the last
is read off the graph that autograd recorded.  All other parameters (a layer
of the user's own, a weight that two layers share, a layer that is applied
twice, a weight used without its layer) are named for the general way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge
from torch.nn.modules.batchnorm import _BatchNorm

from hcat_nb.observation._layer_norms import form_bytes, is_supported


@dataclass(frozen=True, eq=False)
class Call:
    """One call of a layer: what entered, and shape and place in the graph of what left."""

    x: Tensor
    edge: GradientEdge | None
    shape: torch.Size


class Tap:
    """Records the calls of layers; a context manager.

    The place of a gradient is kept as an edge of autograd's graph, not as
    the output tensor, because an in-place activation behind the layer would
    move the tensor on to its own result.
    """

    def __init__(self, layers: Sequence[nn.Module]) -> None:
        self.calls: dict[nn.Module, list[Call]] = {layer: [] for layer in layers}

    def __enter__(self) -> dict[nn.Module, list[Call]]:
        self._hooks = [
            # First of all hooks: others may change the output.
            layer.register_forward_hook(self._keep, prepend=True, with_kwargs=True)
            for layer in self.calls
        ]
        return self.calls

    def __exit__(self, *_: object) -> None:
        for hook in self._hooks:
            hook.remove()

    def _keep(
        self, layer: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Tensor
    ) -> None:
        x = args[0] if args else next(iter(kwargs.values()))
        edge = get_gradient_edge(output) if output.requires_grad else None
        self.calls[layer].append(Call(x.detach(), edge, output.shape))


@dataclass(frozen=True, eq=False)
class LayerPlan:
    """How to measure a model's gradient norms.

    ``layers``: measured in closed form; ``others``: trainable parameters that need the general way,
    by name; ``bytes_per_row``: what the closed form of the most expensive layer needs, and the
    general way's gradients.
    """

    layers: list[nn.Module]
    others: dict[str, nn.Parameter]
    bytes_per_row: int


def make_plan(model: nn.Module, x: Tensor) -> LayerPlan:
    """Trace two forwards of 2 and 3 samples, in evaluation mode, and choose."""
    owners = Counter(
        id(one) for layer in model.modules() for one in layer.parameters(recurse=False)
    )
    trainable = {name: one for name, one in model.named_parameters() if one.requires_grad}
    candidates = [
        layer
        for layer in model.modules()
        if is_supported(layer)
        and any(one.requires_grad for one in layer.parameters(recurse=False))
        and all(owners[id(one)] == 1 for one in layer.parameters(recurse=False))
    ]
    sizes = (2, 3)
    traces = []
    for size in sizes:
        with Tap(candidates) as calls:
            logits = model(x[[0] * size])
        traces.append((size, calls, _uses(logits)))
    layers = [
        layer
        for layer in candidates
        if all(_once(layer, size, calls[layer], uses) for size, calls, uses in traces)
    ]
    own = {id(one) for layer in layers for one in layer.parameters(recurse=False)}
    others = {name: one for name, one in trainable.items() if id(one) not in own}
    _, calls, _ = traces[0]
    forms = [form_bytes(layer, calls[layer][0].x, calls[layer][0].shape) for layer in layers]
    general = sum(one.numel() * one.element_size() for one in others.values())
    return LayerPlan(layers, others, max([*forms, 0]) + general)


def uses_batch_statistics(model: nn.Module) -> bool:
    """Whether some BatchNorm keeps no running statistics, so that samples mix in evaluation."""
    return any(isinstance(one, _BatchNorm) and one.running_mean is None for one in model.modules())


def _once(layer: nn.Module, size: int, calls: list[Call], uses: Counter[int]) -> bool:
    """Whether one call, with the samples on the first axis, is all that uses the layer."""
    if len(calls) != 1 or calls[0].edge is None:
        return False
    (call,) = calls
    trained = [one for one in layer.parameters(recurse=False) if one.requires_grad]
    # A bias of a layer that torch fuses away would count 0: then the general way is right, too.
    return (
        call.x.dim() >= 1
        and len(call.x) == call.shape[0] == size
        and all(uses[id(one)] == 1 for one in trained)
    )


def _uses(logits: Tensor) -> Counter[int]:
    """Return how often the graph behind ``logits`` reads each parameter, by id."""
    uses: Counter[int] = Counter()
    seen: set[Any] = set()
    waiting = [logits.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        for following, _ in node.next_functions:
            if following is not None and hasattr(following, "variable"):
                uses[id(following.variable)] += 1
            else:
                waiting.append(following)
    return uses
