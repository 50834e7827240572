"""From raw features to what a network is trained on, inside the model.

Perturbations, the gallery and input gradients work on raw features;
only the network sees scaled ones.  The constants are buffers, so they are
saved with the weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from hcat_nb.data.column_moments import column_moments, root_mean_square
from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.data.indicators import Indicators, one_hot
from hcat_nb.errors import ModelError
from hcat_nb.models.base import NamedModel
from hcat_nb.spec import DEFAULTS

_TEXT_LENGTH = 10.0  # figures: tests/benchmarks/human_noise.py yoruba banking77


class Scaling(nn.Module):
    """``(x - shift) * scale`` in float32.

    ``shift``, ``scale``: scalars, or one value a column.
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


class Encoding(Scaling):
    """Scaled numbers first, then an indicator, 0 or 1, for each level of each category.

    ``shift``, ``scale``: scalars, or one value for each column of numbers.
    """

    numbers: Tensor
    source: Tensor
    code: Tensor

    def __init__(self, shift: Tensor, scale: Tensor, indicators: Indicators) -> None:
        super().__init__(shift, scale)
        self.register_buffer("numbers", indicators.numbers)
        self.register_buffer("source", indicators.source)
        self.register_buffer("code", indicators.code)

    def forward(self, x: Tensor) -> Tensor:
        """Encode raw features (b, columns), float32, as (b, indicators and numbers)."""
        x = x.to(torch.float32)
        return torch.cat(
            [super().forward(x[:, self.numbers]), one_hot(x, self.source, self.code)], dim=1
        )


def fit_scaling(dataset: LabelledDataset, normalize: str, defaults: int = DEFAULTS) -> Scaling:
    """Return the scaling for ``dataset``.

    ``dataset``: the data as it is trained on, perturbed already; ``normalize`` {"auto", "none"}:
    ``auto`` maps an image's valid range to [-1, 1] (as H-CAT), except float images that
    have negative values and so were scaled by their owner; columns of a table get mean 0 and
    (population) standard deviation 1 over the trainable rows, constant columns 0; TF-IDF weights
    keep their zeros and their proportions; a text's get the length 10. Categorical columns become
    indicators whatever stands here; ``defaults``: their generation, see
    :class:`hcat_nb.spec.RunSpec`: by the first, TF-IDF weights had the root mean square 1, and so a
    length of 45 or 70, with which a network learns texts by heart within a few epochs.
    """
    if dataset.levels:
        indicators = Indicators.of(dataset)
        if normalize == "none":
            return Encoding(torch.tensor(0.0), torch.tensor(1.0), indicators)
        shift, scale = _standardising(dataset, defaults)
        numbers = indicators.numbers
        return Encoding(shift[numbers], scale[numbers], indicators)
    if normalize == "none":
        return _identity()
    if dataset.value_range is not None:
        low, high = dataset.value_range
        if low < 0 or high <= low:
            return _identity()
        return Scaling(torch.tensor((low + high) / 2), torch.tensor(2 / (high - low)))
    return Scaling(*_standardising(dataset, defaults))


def _standardising(dataset: LabelledDataset, defaults: int) -> tuple[Tensor, Tensor]:
    """Return shift and scale of each column, (columns,), float64."""
    rows = dataset.trainable
    spread, mean = column_moments(dataset.features, rows)
    # Rounding leaves a tiny spread in a constant column; dividing by it would blow it up.
    constant = spread <= 1e-12 * mean.abs().clamp(min=1e-300)
    scale = torch.where(constant, 0.0, 1 / spread.clamp(min=1e-300))
    if dataset.words:
        words = slice(dataset.words.start, dataset.words.stop)
        size = root_mean_square(dataset.features[:, words], rows)
        # One number for all: a rare word's own spread is tiny, and would make it drown the others.
        length = 1.0 if defaults == 1 else _TEXT_LENGTH / len(dataset.words) ** 0.5
        mean[words], scale[words] = 0.0, length / size.clamp(min=1e-12)
    return mean, scale


class AdaptedModel(nn.Module):
    """A network behind its scaling: raw features in, logits out."""

    def __init__(self, scaling: Scaling, net: nn.Module) -> None:
        super().__init__()
        self.scaling = scaling
        self.returns = ""  # type of what the network returned last
        self._channels_last = isinstance(net, NamedModel) and net.channels_last
        self.net = net.to(memory_format=torch.channels_last) if self._channels_last else net

    def forward(self, x: Tensor) -> Tensor:
        """Map raw features (b, ...) to logits (b, n_classes)."""
        scaled = self.scaling(x)
        if self._channels_last:
            scaled = scaled.contiguous(memory_format=torch.channels_last)
        made = self.net(scaled)
        self.returns = type(made).__name__
        return logits_of(made)


def logits_of(made: Any) -> Tensor:
    """Return the logits in what a network returns.

    ``made``: of a tuple, the first tensor of two axes counts: others are auxiliary.

    >>> logits_of((torch.zeros(3, 2), torch.ones(3, 8))).shape
    torch.Size([3, 2])
    """
    found = made
    if not isinstance(made, Tensor):
        found = made.get("logits") if isinstance(made, Mapping) else getattr(made, "logits", None)
    if found is None and isinstance(made, (tuple, list)):
        found = next((one for one in made if isinstance(one, Tensor) and one.dim() == 2), None)
    if not isinstance(found, Tensor):
        raise ModelError(
            f"the model returns a {type(made).__name__} without logits",
            "a Tensor of logits, an object with .logits, or a tuple that begins with them",
            "wrap it in a module that returns the logits only",
        )
    return found


def _identity() -> Scaling:
    return Scaling(torch.tensor(0.0), torch.tensor(1.0))
