"""ResNet-18 for small images.

He et al. 2016, arXiv 1512.03385, section 4.2: a 3 x 3 stem of stride 1 and no
pooling in place of the 7 x 7 stem, so that 32 x 32 images keep their detail.
As in H-CAT, dropout stands between the stages.
"""

from __future__ import annotations

from torch import Tensor, nn

from hcat_nb.models.base import NamedModel


class ResNet18(NamedModel):
    """torchvision's ResNet-18 with the stem for small images.

    Parameters
    ----------
    dropout : float
        Probability of the dropout before each of the last three stages.
    """

    name = "resnet18"
    title = "ResNet-18"
    paper = "He et al. 2016, arXiv 1512.03385"
    modality = frozenset({"image"})
    channels_last = True

    def __init__(
        self, sample_shape: tuple[int, int, int], n_classes: int, dropout: float = 0.2
    ) -> None:
        from torchvision.models import resnet18

        super().__init__()
        self.net = resnet18(num_classes=n_classes)
        self.net.conv1 = nn.Conv2d(sample_shape[0], 64, 3, padding=1, bias=False)
        nn.init.kaiming_normal_(self.net.conv1.weight, mode="fan_out", nonlinearity="relu")
        self.net.maxpool = nn.Identity()
        for stage in ("layer2", "layer3", "layer4"):
            block = nn.Sequential(nn.Dropout(dropout), getattr(self.net, stage))
            setattr(self.net, stage, block)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (b, channels, height, width), float32, to logits (b, n_classes)."""
        logits: Tensor = self.net(x)
        return logits
