"""Kuzushiji-MNIST, handwritten hiragana of old Japanese books, 28 x 28 pixels.

Clanuwat, Bober-Irizar, Kitamoto, Lamb, Yamamoto and Ha, Deep learning for
classical Japanese literature, arXiv 1812.01718.
"""

from __future__ import annotations

from dataclasses import dataclass

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.data.sources._idx import idx_dataset
from hcat_nb.data.sources.base import Source

CLASSES = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")


@dataclass(frozen=True)
class KMNIST(Source):
    """60,000 grey images of 10 characters."""

    name = "kmnist"
    title = "Kuzushiji-MNIST handwritten characters"
    modality = "image"
    n_samples = 60_000
    bundled = False
    paper = "Clanuwat et al. 2018, arXiv 1812.01718"
    cost = "download, 21 MB"

    def load(self) -> LabelledDataset:
        """Return the training set, uint8 of shape (60000, 1, 28, 28)."""
        return idx_dataset(self, "KMNIST", CLASSES, flip_keeps_label=False)
