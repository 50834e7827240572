"""A multilayer perceptron for tables (and flattened images).

H-CAT's widths, 256-128-64-32-16-8 with dropout 0.2.  H-CAT applies ReLU to
its *logits* too, which makes half of them zero; this one does not.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from torch import Tensor, nn

from hcat_nb.errors import ModelError
from hcat_nb.models.base import NamedModel

_WIDTHS = (256, 128, 64, 32, 16, 8)


class MLP(NamedModel):
    """Linear layers with ReLU and dropout between them; an image is flattened.

    Parameters
    ----------
    hidden : sequence of int
        Widths of the hidden layers.
    dropout : float
        Probability of the dropout after each hidden layer's ReLU.
    """

    name = "mlp"
    title = "MLP"
    paper = "H-CAT, arXiv 2403.04551"
    modality = frozenset({"image", "table"})

    def __init__(
        self,
        sample_shape: tuple[int, ...],
        n_classes: int,
        hidden: Sequence[int] = _WIDTHS,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        if not all(isinstance(width, int) and width > 0 for width in hidden):
            raise ModelError(f"the hidden widths are {hidden!r}", "positive whole numbers")
        widths = [math.prod(sample_shape), *hidden]
        layers: list[nn.Module] = [nn.Flatten()]
        for before, after in itertools.pairwise(widths):
            layers += [nn.Linear(before, after), nn.ReLU(), nn.Dropout(dropout)]
        self.net = nn.Sequential(*layers, nn.Linear(widths[-1], n_classes))

    def forward(self, x: Tensor) -> Tensor:
        """Map samples (b, ...), float32, to logits (b, n_classes)."""
        logits: Tensor = self.net(x)
        return logits
