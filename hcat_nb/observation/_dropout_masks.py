"""The masks of dropout sub-networks, and what a dropout module makes of its input with them."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from hcat_nb.seeds import child_seed

__all__ = ["KINDS", "Masks"]

_WHOLE_CHANNELS = (nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.FeatureAlphaDropout)
_ALPHA = (nn.AlphaDropout, nn.FeatureAlphaDropout)
KINDS = (nn.Dropout, nn.AlphaDropout, *_WHOLE_CHANNELS)
# What a dropped unit becomes in a self-normalizing network: minus lambda times
# alpha of SELU (Klambauer et al. 2017, arXiv 1706.02515, section 2).
_SELU_FLOOR = -1.0507009873554805 * 1.6732632423543772


class Masks:
    """Draws each sub-network's masks; those that all samples share are kept.

    Parameters
    ----------
    seed : int
        Parent of the masks.  They are drawn on the CPU, so every device sees the same.
    per_sample : bool
        Whether every sample has a mask of its own; such masks are drawn anew at each call.
    """

    def __init__(self, seed: int, *, per_sample: bool) -> None:
        self.seed = seed
        self.per_sample = per_sample
        self._generators: dict[tuple[str, int, int], torch.Generator] = {}
        self._kept: dict[tuple[str, int, int], Tensor] = {}
        self._stacked: dict[tuple[str, int], tuple[Tensor, Tensor | None]] = {}

    def keep(self, key: tuple[str, int, int], layer: nn.Module, output: Tensor) -> Tensor:
        """Return which units stay, bool, of the shape of ``output`` but with 1 or b rows.

        Parameters
        ----------
        key : tuple
            Name of the module, number of the call in this forward, number of the sub-network.
        layer : Module
            One of ``KINDS``.
        output : Tensor of shape (b, ...)
        """
        if key in self._kept:
            return self._kept[key]
        shape = [len(output) if self.per_sample else 1, *output.shape[1:]]
        if isinstance(layer, _WHOLE_CHANNELS):
            shape[2:] = [1] * (output.dim() - 2)
        if key not in self._generators:
            seed = child_seed(self.seed, "masks/" + "/".join(map(str, key)))
            self._generators[key] = torch.Generator().manual_seed(seed)
        drawn = torch.rand(shape, generator=self._generators[key])
        keep: Tensor = (drawn >= float(layer.p)).to(output.device)  # type: ignore[arg-type]
        if not self.per_sample:
            self._kept[key] = keep
        return keep

    def apply(self, key: tuple[str, int, int], layer: nn.Module, output: Tensor) -> Tensor:
        """Return what the module makes of ``output`` in one sub-network."""
        return _affine(output, *_factors(layer, self.keep(key, layer, output), output))

    def apply_all(
        self, key: tuple[str, int], networks: int, layer: nn.Module, output: Tensor
    ) -> Tensor:
        """Return what the module makes in all sub-networks at once.

        Parameters
        ----------
        key : tuple
            Name of the module, number of the call in this forward.
        networks : int
            K.
        layer : Module
        output : Tensor of shape (b, 1, ...) or (b, K, ...)
        """
        if key not in self._stacked:
            one = output[0]
            masks = [self.keep((*key, network), layer, one) for network in range(networks)]
            scale, offset = _factors(layer, torch.cat(masks), one)
            # The axes in memory as the data have them: one stride for both is one fast loop.
            self._stacked[key] = _like(scale, one), None if offset is None else _like(offset, one)
        return _affine(output, *self._stacked[key])


def _factors(layer: nn.Module, keep: Tensor, output: Tensor) -> tuple[Tensor, Tensor | None]:
    """Return what is multiplied and what is added to make dropout of a mask."""
    p = float(layer.p)  # type: ignore[arg-type]
    kept = keep.to(output.dtype)
    if not isinstance(layer, _ALPHA):
        return kept * (1 / (1 - p) if p < 1 else 0.0), None
    # Affine correction that keeps mean 0 and variance 1 (same paper, appendix).
    a = 1 / math.sqrt((1 - p) * (1 + p * _SELU_FLOOR**2)) if p < 1 else 0.0
    return a * kept, a * _SELU_FLOOR * (1 - kept - p)


def _affine(output: Tensor, scale: Tensor, offset: Tensor | None) -> Tensor:
    return output * scale if offset is None else output * scale + offset


def _like(values: Tensor, one: Tensor) -> Tensor:
    if values.dim() == 4 and one.is_contiguous(memory_format=torch.channels_last):
        return values.contiguous(memory_format=torch.channels_last)
    return values
