"""From raw features to what a network is trained on, inside the model.

Perturbations, the gallery and input gradients work on raw features;
only the network sees scaled ones.  The constants are buffers, so they are
saved with the weights.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.models.base import NamedModel

__all__ = ["AdaptedModel", "Scaling", "fit_scaling"]


class Scaling(nn.Module):
    """``(x - shift) * scale`` in float32.

    Parameters
    ----------
    shift, scale : Tensor
        Scalars, or one value a column.
    """

    shift: Tensor
    scale: Tensor

    def __init__(self, shift: Tensor, scale: Tensor) -> None:
        super().__init__()
        self.register_buffer("shift", shift.to(torch.float32))
        self.register_buffer("scale", scale.to(torch.float32))

    def forward(self, x: Tensor) -> Tensor:
        """Scale raw features (b, ...), uint8 or float32."""
        return (x.to(torch.float32) - self.shift) * self.scale


def fit_scaling(dataset: LabelledDataset, normalize: str) -> Scaling:
    """Return the scaling for ``dataset``.

    Parameters
    ----------
    dataset : LabelledDataset
        The data as it is trained on, perturbed already.
    normalize : {"auto", "none"}
        ``auto`` maps an image's valid range to [-1, 1] (METHODS.md,
        protocol), except float images that have negative values and so were
        scaled by their owner; columns of a table get mean 0 and (population)
        standard deviation 1 over the trainable rows, constant columns 0.
    """
    if normalize == "none":
        return _identity()
    if dataset.value_range is not None:
        low, high = dataset.value_range
        if low < 0 or high <= low:
            return _identity()
        return Scaling(torch.tensor((low + high) / 2), torch.tensor(2 / (high - low)))
    rows = dataset.features[dataset.trainable].to(torch.float64)
    spread, mean = torch.std_mean(rows, dim=0, correction=0)
    # Rounding leaves a tiny spread in a constant column; dividing by it would blow it up.
    constant = spread <= 1e-12 * mean.abs().clamp(min=1e-300)
    return Scaling(mean, torch.where(constant, 0.0, 1 / spread.clamp(min=1e-300)))


class AdaptedModel(nn.Module):
    """A network behind its scaling: raw features in, logits out."""

    def __init__(self, scaling: Scaling, net: nn.Module) -> None:
        super().__init__()
        self.scaling = scaling
        self._channels_last = isinstance(net, NamedModel) and net.channels_last
        self.net = net.to(memory_format=torch.channels_last) if self._channels_last else net

    def forward(self, x: Tensor) -> Tensor:
        """Map raw features (b, ...) to logits (b, n_classes)."""
        scaled = self.scaling(x)
        if self._channels_last:
            scaled = scaled.contiguous(memory_format=torch.channels_last)
        logits: Tensor = self.net(scaled)
        return logits


def _identity() -> Scaling:
    return Scaling(torch.tensor(0.0), torch.tensor(1.0))
