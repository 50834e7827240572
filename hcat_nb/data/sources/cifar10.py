"""CIFAR-10, small colour photos, 32 x 32 pixels.

Krizhevsky, Learning multiple layers of features from tiny images, 2009.
The files are pickles: they are opened by torchvision only, and only after
their checksums were found to be the published ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.data.sources._torchvision import data_root, download
from hcat_nb.data.sources.base import Source
from hcat_nb.errors import DataError

__all__ = ["CIFAR10"]

_FOLDER = "cifar-10-batches-py"


@dataclass(frozen=True)
class CIFAR10(Source):
    """50,000 colour photos of 10 classes."""

    name = "cifar10"
    title = "CIFAR-10 photos"
    modality = "image"
    n_samples = 50_000
    bundled = False

    def load(self) -> LabelledDataset:
        """Return the training set, uint8 of shape (50000, 3, 32, 32).

        Raises
        ------
        MissingDataError
            If the files are absent and may not, or cannot, be downloaded.
        DataError
            If a file differs from the published one.
        """
        import pandas as pd
        import torchvision

        root = data_root(self.root)
        if root.name == _FOLDER and root.is_dir():
            root = root.parent
        if _absent(root / _FOLDER):
            download(self, "CIFAR10", _FOLDER, "data_batch_1 to 5, test_batch and batches.meta")
        _refuse_altered(root / _FOLDER)
        published = torchvision.datasets.CIFAR10(root, train=True)
        images = np.ascontiguousarray(published.data.transpose(0, 3, 1, 2))
        return LabelledDataset(
            name=self.name,
            features=torch.from_numpy(images),
            labels=torch.tensor(published.targets, dtype=torch.int64),
            class_values=tuple(published.classes),
            sample_ids=pd.RangeIndex(len(images)),
            value_range=(0.0, 255.0),
            flip_keeps_label=True,
        )


def _checksums() -> dict[str, str]:
    from torchvision.datasets import CIFAR10 as PUBLISHED

    checksums = dict([*PUBLISHED.train_list, *PUBLISHED.test_list])
    return {**checksums, PUBLISHED.meta["filename"]: PUBLISHED.meta["md5"]}


def _absent(folder: Path) -> bool:
    return not all((folder / name).is_file() for name in _checksums())


def _refuse_altered(folder: Path) -> None:
    from torchvision.datasets.utils import check_integrity

    for name, md5 in _checksums().items():
        if not check_integrity(folder / name, md5):
            raise DataError(
                f"{folder / name} is not the published file: its checksum differs",
                f"MD5 {md5}",
                f"delete {folder} and load again",
            )
