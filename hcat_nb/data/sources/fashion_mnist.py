"""Fashion-MNIST, pictures of clothes, 28 x 28 pixels.

Xiao, Rasul and Vollgraf, Fashion-MNIST: a novel image dataset for benchmarking
machine learning algorithms, arXiv 1708.07747.
"""

from __future__ import annotations

from dataclasses import dataclass

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.data.sources._idx import idx_dataset
from hcat_nb.data.sources.base import Source

CLASSES = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)


@dataclass(frozen=True)
class FashionMNIST(Source):
    """60,000 grey images of 10 kinds of clothes."""

    name = "fashion_mnist"
    title = "Fashion-MNIST clothes"
    modality = "image"
    n_samples = 60_000
    bundled = False
    paper = "Xiao et al. 2017, arXiv 1708.07747"
    cost = "download, 31 MB"

    def load(self) -> LabelledDataset:
        """Return the training set, uint8 of shape (60000, 1, 28, 28)."""
        return idx_dataset(self, "FashionMNIST", CLASSES, flip_keeps_label=True)
