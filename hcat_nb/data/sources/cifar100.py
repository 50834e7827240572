"""CIFAR-100, small colour photos, 32 x 32 pixels, 100 classes in 20 superclasses of five.

Krizhevsky, Learning multiple layers of features from tiny images, 2009.
"""

from __future__ import annotations

from dataclasses import dataclass

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.data.sources._cifar import cifar_dataset
from hcat_nb.data.sources.base import Source


@dataclass(frozen=True)
class CIFAR100(Source):
    """50,000 colour photos of 100 (fine) classes."""

    name = "cifar100"
    title = "CIFAR-100 photos"
    modality = "image"
    n_samples = 50_000
    bundled = False
    paper = "Krizhevsky 2009"
    cost = "download, 169 MB"

    def load(self) -> LabelledDataset:
        """Return the training set, uint8 of shape (50000, 3, 32, 32)."""
        return cifar_dataset(self, "CIFAR100", "train, test and meta")
