"""MNIST handwritten digits, 28 x 28 pixels.

LeCun, Bottou, Bengio and Haffner, Gradient-based learning applied to document
recognition, Proceedings of the IEEE 1998.  The files are
``<root>/MNIST/raw/train-images-idx3-ubyte`` and ``train-labels-idx1-ubyte``,
plain or as .gz, from torchvision's mirrors.
"""

from __future__ import annotations

from dataclasses import dataclass

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.data.sources._idx import idx_dataset
from hcat_nb.data.sources.base import Source


@dataclass(frozen=True)
class MNIST(Source):
    """60,000 grey images of 10 digits."""

    name = "mnist"
    title = "MNIST handwritten digits"
    modality = "image"
    n_samples = 60_000
    bundled = False
    paper = "LeCun et al. 1998, Proc. IEEE"
    cost = "download, 12 MB"

    def load(self) -> LabelledDataset:
        """Return the training set, uint8 of shape (60000, 1, 28, 28)."""
        return idx_dataset(self, "MNIST", tuple(range(10)), flip_keeps_label=False)
