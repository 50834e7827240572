"""A small convolutional network: the default for images.

Three blocks of a 3 x 3 convolution without bias, batch normalisation (Ioffe
and Szegedy 2015, arXiv 1502.03167) and ReLU, at 16, 32 and 64 channels, with
2 x 2 max pooling between them; global average, dropout, one linear layer.
"""

from __future__ import annotations

from torch import Tensor, nn

from hcat_nb.models._pooling import HalvingPool
from hcat_nb.models.base import NamedModel

_CHANNELS = (16, 32, 64)


class CNN(NamedModel):
    """Three convolutions and a linear layer, for images of any size.

    An image that is one pixel high or wide already is not pooled any more.

    Parameters
    ----------
    dropout : float
        Probability of the dropout before the linear layer.

    Examples
    --------
    >>> net = CNN((3, 32, 32), n_classes=10)
    >>> import torch
    >>> tuple(net(torch.zeros(2, 3, 32, 32)).shape)
    (2, 10)
    """

    name = "cnn"
    title = "Small CNN"
    paper = "three blocks, batch normalisation as in arXiv 1502.03167"
    modality = frozenset({"image"})
    channels_last = True

    def __init__(
        self, sample_shape: tuple[int, int, int], n_classes: int, dropout: float = 0.2
    ) -> None:
        super().__init__()
        before, *sides = sample_shape
        layers: list[nn.Module] = []
        for width in _CHANNELS:
            layers += [nn.Conv2d(before, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)]
            if width != _CHANNELS[-1] and min(sides) > 1:
                # In front of the ReLU, which commutes with the largest of four: a quarter of the
                # work there.
                layers.append(HalvingPool())
                sides = [side // 2 for side in sides]
            layers.append(nn.ReLU())
            before = width
        self.features = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(before, n_classes))

    def forward(self, x: Tensor) -> Tensor:
        """Map images (b, channels, height, width), float32, to logits (b, n_classes)."""
        logits: Tensor = self.classifier(self.features(x))
        return logits
