"""LeNet, in the two sizes of H-CAT's benchmark.

LeCun et al. 1998, "Gradient-based learning applied to document recognition".
As in H-CAT: 20 and 50 filters of 5 x 5 and 500 hidden units for one channel;
6 and 16 filters, 120 and 84 hidden units otherwise; dropout after each
convolution's ReLU, before the pooling.
"""

from __future__ import annotations

import itertools

from torch import Tensor, nn

from hcat_nb.errors import ModelError
from hcat_nb.models._pooling import HalvingPool
from hcat_nb.models.base import NamedModel

_SMALLEST = 4  # two poolings by 2
_UNPADDED_FROM = 16  # two unpadded 5 x 5 convolutions and poolings need 16 pixels


class LeNet(NamedModel):
    """Two convolutions and a small classifier, for images of at least 4 x 4 pixels.

    Parameters
    ----------
    dropout : float
        Probability of each of the two dropouts.

    Examples
    --------
    >>> net = LeNet((1, 28, 28), n_classes=10)
    >>> import torch
    >>> tuple(net(torch.zeros(2, 1, 28, 28)).shape)
    (2, 10)
    """

    name = "lenet"
    title = "LeNet"
    paper = "LeCun et al. 1998"
    modality = frozenset({"image"})
    channels_last = True

    def __init__(
        self, sample_shape: tuple[int, int, int], n_classes: int, dropout: float = 0.2
    ) -> None:
        super().__init__()
        channels, height, width = sample_shape
        if min(height, width) < _SMALLEST:
            raise ModelError(
                f"images of {height} x {width} pixels are too small for lenet",
                f"at least {_SMALLEST} x {_SMALLEST}",
                "use the model cnn",
            )
        first, second, *hidden = (20, 50, 500) if channels == 1 else (6, 16, 120, 84)
        # The ReLU stands behind the pooling: it commutes with the largest of four and with
        # dropout's factors, which are not negative, and has a quarter of the work there.
        padding = 2 if min(height, width) < _UNPADDED_FROM else 0
        self.features = nn.Sequential(
            nn.Conv2d(channels, first, 5, padding=padding),
            nn.Dropout(dropout),
            HalvingPool(),
            nn.ReLU(),
            nn.Conv2d(first, second, 5, padding=padding),
            nn.Dropout(dropout),
            HalvingPool(),
            nn.ReLU(),
            nn.Flatten(),
        )
        lost = 4 - 2 * padding
        size = [((side - lost) // 2 - lost) // 2 for side in (height, width)]
        widths = [second * size[0] * size[1], *hidden]
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise(widths):
            layers += [nn.Linear(before, after), nn.ReLU()]
        self.classifier = nn.Sequential(*layers, nn.Linear(widths[-1], n_classes))

    def forward(self, x: Tensor) -> Tensor:
        """Map images (b, channels, height, width), float32, to logits (b, n_classes)."""
        logits: Tensor = self.classifier(self.features(x))
        return logits
