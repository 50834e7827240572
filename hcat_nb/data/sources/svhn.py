"""Street View House Numbers, cropped colour digits, 32 x 32 pixels.

Netzer, Wang, Coates, Bissacco, Wu and Ng, Reading digits in natural images
with unsupervised feature learning, NIPS workshop 2011.  A label is the digit
in the middle; others may stand beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.data.sources._downloads import data_root, download
from hcat_nb.data.sources.base import Source
from hcat_nb.errors import DataError


@dataclass(frozen=True)
class SVHN(Source):
    """73,257 colour images of 10 digits."""

    name = "svhn"
    title = "Street View House Numbers"
    modality = "image"
    n_samples = 73_257
    bundled = False
    paper = "Netzer et al. 2011, NIPS workshop"
    cost = "download, 182 MB"

    def load(self) -> LabelledDataset:
        """Return the training set, uint8 of shape (73257, 3, 32, 32)."""
        from torchvision.datasets import SVHN as PUBLISHED
        from torchvision.datasets.utils import check_integrity

        _, file, md5 = PUBLISHED.split_list["train"]
        root = data_root(self.root)
        if not (root / file).is_file():
            download(self, "SVHN", file, "the training set, a MATLAB file")
        if not check_integrity(root / file, md5):
            raise DataError(
                f"{root / file} is not the published file: its checksum differs",
                f"MD5 {md5}",
                "delete it and load again",
            )
        published = PUBLISHED(root, split="train")
        return LabelledDataset(
            name=self.name,
            features=torch.from_numpy(np.ascontiguousarray(published.data)),
            # torchvision has made the file's label 10 the digit 0
            labels=torch.from_numpy(published.labels.astype(np.int64)),
            class_values=tuple(range(10)),
            sample_ids=pd.RangeIndex(len(published)),
            value_range=(0.0, 255.0),
            flip_keeps_label=False,
        )
