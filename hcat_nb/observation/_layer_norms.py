"""Squared gradient norms of one layer's parameters, sample by sample, in closed form.

A layer that mixes no samples has, for each of them, a parameter gradient that
follows from what entered the layer and from the gradient that came back to
its output; its norm often follows without making it (Goodfellow 2015, arXiv
1510.01799, for linear layers; Rochette et al. 2019, arXiv 1912.06015, for
convolutions).  With T positions a sample (pixels, tokens), inputs a_t and
output gradients g_t, the gradient of a weight is sum_t g_t a_t', and its
squared norm is ``sum_{s,t} (a_s . a_t) (g_s . g_t)``: the *Gram* form, cheaper
where T is small, against making the gradient, cheaper where T is large.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd


def squared_norm(layer: nn.Module, x: Tensor, g: Tensor) -> Tensor:
    """Return each sample's squared gradient norm over the layer's trainable parameters.

    ``layer``: one for which :func:`is_supported` holds; ``x`` (b, ...): what entered the layer;
    ``g`` (b, ...): gradient of each sample's own loss with respect to the layer's output.
    """
    x = x if isinstance(layer, nn.Embedding) else x.float()
    return LAYERS[type(layer)](layer, x, g.float())


def is_supported(layer: nn.Module) -> bool:
    """Whether :func:`squared_norm` knows the layer, in evaluation mode.

    Subclasses are not known: their forward may be another.
    """
    if type(layer) not in LAYERS:
        return False
    if not {name for name, _ in layer.named_parameters(recurse=False)} <= {"weight", "bias"}:
        return False  # reparametrised: weight_norm, pruning
    if isinstance(layer, _BatchNorm):
        return layer.running_mean is not None
    if isinstance(layer, nn.Embedding):
        return layer.max_norm is None and not layer.scale_grad_by_freq
    return True


def form_bytes(layer: nn.Module, x: Tensor, out: torch.Size) -> int:
    """Return about how many bytes :func:`squared_norm` needs for one sample."""
    if isinstance(layer, _ConvNd):
        fields = layer.weight[0].numel() * layer.groups
        positions = out[2:].numel()
        widths = fields // layer.groups, layer.out_channels // layer.groups
        return 4 * (2 * fields * positions + layer.groups * _form_size(positions, *widths))
    if isinstance(layer, nn.Linear):
        positions = x[0].numel() // layer.in_features
        return 4 * _form_size(positions, layer.in_features, layer.out_features)
    if isinstance(layer, nn.Embedding):
        return 4 * 2 * x[0].numel() ** 2
    return 4 * 2 * x[0].numel()


def _gram_is_cheaper(positions: int, k: int, o: int) -> bool:
    # T^2 (K + O) against T K O multiplications; then T < K and T < O, so the
    # Gram matrices are the smaller ones, too.
    return positions * (k + o) < k * o


def _form_size(positions: int, k: int, o: int) -> int:
    return 2 * positions**2 if _gram_is_cheaper(positions, k, o) else k * o


def _outer_products(a: Tensor, g: Tensor) -> Tensor:
    """Return |sum_t g_t a_t'|^2, (b,), for a of shape (b, G, T, K) and g of shape (b, G, T, O).

    The last sum is taken in float64: the terms of the Gram form have either
    sign and may cancel.
    """
    if _gram_is_cheaper(a.shape[2], a.shape[3], g.shape[3]):
        product = (a @ a.mT).double() * (g @ g.mT)
        # A squared norm: rounding may leave a zero slightly below zero.
        return product.sum(dim=(1, 2, 3)).clamp(min=0)
    return _square_sum(g.mT @ a)


def _square_sum(x: Tensor) -> Tensor:
    """Return the sum of squares over all but the first axis, (b,), float64."""
    return x.square().flatten(1).sum(1).double()  # float32 sums are pairwise: 1e-7


def _trains(layer: nn.Module, name: str) -> bool:
    parameter = getattr(layer, name)
    return parameter is not None and parameter.requires_grad


def _linear(layer: nn.Linear, x: Tensor, g: Tensor) -> Tensor:
    g = g.reshape(len(g), 1, -1, layer.out_features)
    total = g.new_zeros(len(g), dtype=torch.float64)
    if _trains(layer, "weight"):
        total += _outer_products(x.reshape(len(x), 1, -1, layer.in_features), g)
    if _trains(layer, "bias"):
        total += _square_sum(g.sum(dim=2))
    return total


def _convolution(layer: _ConvNd, x: Tensor, g: Tensor) -> Tensor:
    total = g.new_zeros(len(g), dtype=torch.float64)
    if _trains(layer, "weight"):
        fields = _receptive_fields(layer, x)
        grads = g.reshape(len(g), layer.groups, layer.out_channels // layer.groups, -1)
        total += _outer_products(fields, grads.mT)
    if _trains(layer, "bias"):
        total += _square_sum(g.flatten(2).sum(dim=2))
    return total


def _receptive_fields(layer: _ConvNd, x: Tensor) -> Tensor:
    """Return what each output position sees, (b, groups, positions, channels x kernel)."""
    mode = "constant" if layer.padding_mode == "zeros" else layer.padding_mode
    if any(pads := _pads(layer)):
        x = nn.functional.pad(x, pads, mode=mode)
    if isinstance(layer, nn.Conv3d):
        return _blocks(layer, x)
    if isinstance(layer, nn.Conv2d) and x.is_contiguous(memory_format=torch.channels_last):
        return _windows(layer, x)
    kernel, dilation, stride = layer.kernel_size, layer.dilation, layer.stride
    if isinstance(layer, nn.Conv1d):
        x, kernel, dilation, stride = x[:, :, None], (1, *kernel), (1, *dilation), (1, *stride)
    fields = nn.functional.unfold(x, kernel, dilation=dilation, stride=stride)
    return fields.reshape(len(x), layer.groups, -1, fields.shape[2]).mT


def _windows(layer: nn.Conv2d, x: Tensor) -> Tensor:
    """Return the fields of a padded (b, channels, height, width) whose channels come last.

    A row of a field lies in one piece, so this takes a sixth of unfold's time.
    """
    kernel, dilation, stride = layer.kernel_size, layer.dilation, layer.stride
    steps = [x.stride(0), x.stride(2), x.stride(3)]
    positions = [
        (side - reach * (places - 1) - 1) // step + 1
        for side, places, reach, step in zip(x.shape[2:], kernel, dilation, stride, strict=True)
    ]
    channels = x.shape[1] // layer.groups
    fields = x.as_strided(
        (len(x), layer.groups, *positions, *kernel, channels),
        (
            steps[0],
            channels,
            *(step * by for step, by in zip(steps[1:], stride, strict=True)),
            *(step * by for step, by in zip(steps[1:], dilation, strict=True)),
            1,
        ),
        x.storage_offset(),
    )
    return fields.reshape(len(x), layer.groups, math.prod(positions), -1)


def _blocks(layer: nn.Conv3d, x: Tensor) -> Tensor:
    """Return the fields of a padded (b, channels, depth, height, width)."""
    for axis in range(3):
        size, step = layer.dilation[axis] * (layer.kernel_size[axis] - 1) + 1, layer.stride[axis]
        x = x.unfold(2 + axis, size, step)[..., :: layer.dilation[axis]]
    b, groups, positions = len(x), layer.groups, x.shape[2:5]
    x = x.reshape(b, groups, x.shape[1] // groups, positions.numel(), -1)
    return x.transpose(2, 3).flatten(3)


def _pads(layer: _ConvNd) -> list[int]:
    """Return the padding as ``functional.pad`` takes it: last axis first, before and after."""
    pads: list[int] = []
    for axis in reversed(range(len(layer.kernel_size))):
        if isinstance(layer.padding, str):
            lost = layer.dilation[axis] * (layer.kernel_size[axis] - 1)
            both = 0 if layer.padding == "valid" else lost
            pads += [both // 2, both - both // 2]
        else:
            pads += [layer.padding[axis]] * 2
    return pads


def _batch_norm(layer: _BatchNorm, x: Tensor, g: Tensor) -> Tensor:
    assert layer.running_mean is not None
    normalized = nn.functional.batch_norm(x, layer.running_mean, layer.running_var, eps=layer.eps)
    return _affine(layer, normalized, g, _over_positions)


def _group_norm(layer: nn.GroupNorm, x: Tensor, g: Tensor) -> Tensor:
    normalized = nn.functional.group_norm(x, layer.num_groups, eps=layer.eps)
    return _affine(layer, normalized, g, _over_positions)


def _layer_norm(layer: nn.LayerNorm, x: Tensor, g: Tensor) -> Tensor:
    shape = layer.normalized_shape
    normalized = nn.functional.layer_norm(x, shape, eps=layer.eps)
    return _affine(layer, normalized, g, lambda y: y.reshape(len(y), -1, *shape).sum(1))


def _over_positions(y: Tensor) -> Tensor:
    """Sum (b, channels, ...) over the positions of each channel."""
    return y.reshape(*y.shape[:2], -1).sum(2)


def _affine(
    layer: Any, normalized: Tensor, g: Tensor, summed: Callable[[Tensor], Tensor]
) -> Tensor:
    total = g.new_zeros(len(g), dtype=torch.float64)
    if _trains(layer, "weight"):
        total += _square_sum(summed(g * normalized))
    if _trains(layer, "bias"):
        total += _square_sum(summed(g))
    return total


def _embedding(layer: nn.Embedding, x: Tensor, g: Tensor) -> Tensor:
    x, g = x.flatten(1), g.reshape(len(g), -1, layer.embedding_dim)
    same = x[:, :, None] == x[:, None, :]
    if layer.padding_idx is not None:
        same &= (x != layer.padding_idx)[:, None, :]
    return ((g @ g.mT).double() * same).sum(dim=(1, 2)).clamp(min=0)


LAYERS: dict[type[nn.Module], Callable[[Any, Tensor, Tensor], Tensor]] = {
    nn.Linear: _linear,
    nn.Conv1d: _convolution,
    nn.Conv2d: _convolution,
    nn.Conv3d: _convolution,
    nn.BatchNorm1d: _batch_norm,
    nn.BatchNorm2d: _batch_norm,
    nn.BatchNorm3d: _batch_norm,
    nn.LayerNorm: _layer_norm,
    nn.GroupNorm: _group_norm,
    nn.Embedding: _embedding,
}
