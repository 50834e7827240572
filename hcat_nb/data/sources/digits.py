"""Handwritten digits, 8 x 8 pixels, bundled with scikit-learn.

Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI 1998
(scikit-learn ships its test set).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.data.sources.base import Source


@dataclass(frozen=True)
class Digits(Source):
    """1,797 grey images of 10 classes; pixels 0 to 16."""

    name = "digits"
    title = "Handwritten digits, 8 x 8 (scikit-learn)"
    modality = "image"
    n_samples = 1797
    bundled = True
    paper = "Alpaydin and Kaynak 1998, UCI"

    def load(self) -> LabelledDataset:
        """Return the images as uint8 of shape (1797, 1, 8, 8)."""
        from sklearn.datasets import load_digits

        bunch = load_digits()
        images = torch.from_numpy(bunch.images.astype(np.uint8)[:, None])
        return LabelledDataset(
            name=self.name,
            features=images,
            labels=torch.from_numpy(bunch.target.astype(np.int64)),
            class_values=tuple(range(10)),
            sample_ids=pd.RangeIndex(len(images)),
            value_range=(0.0, 16.0),
        )
