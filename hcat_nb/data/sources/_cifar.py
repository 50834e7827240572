"""CIFAR-10 and CIFAR-100, small colour photos in pickles.

The files are opened by torchvision only, and only after their checksums were
found to be the published ones: a pickle may run code.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.data.sources._downloads import data_root, download
from hcat_nb.data.sources.base import Source
from hcat_nb.errors import DataError


def cifar_dataset(source: Source, torchvision_name: str, expected: str) -> LabelledDataset:
    """Return the training set, uint8 of shape (50000, 3, 32, 32); download it if need be."""
    import torchvision

    published = getattr(torchvision.datasets, torchvision_name)
    folder = published.base_folder
    root = data_root(source.root)
    if root.name == folder and root.is_dir():
        root = root.parent
    checksums = _checksums(published)
    if not all((root / folder / name).is_file() for name in checksums):
        download(source, torchvision_name, folder, expected)
    _refuse_altered(root / folder, checksums)
    data = published(root, train=True)
    images = np.ascontiguousarray(data.data.transpose(0, 3, 1, 2))
    return LabelledDataset(
        name=source.name,
        features=torch.from_numpy(images),
        labels=torch.tensor(data.targets, dtype=torch.int64),
        class_values=tuple(data.classes),
        sample_ids=pd.RangeIndex(len(images)),
        value_range=(0.0, 255.0),
        flip_keeps_label=True,
    )


def _checksums(published: Any) -> dict[str, str]:
    checksums = dict([*published.train_list, *published.test_list])
    return {**checksums, published.meta["filename"]: published.meta["md5"]}


def _refuse_altered(folder: Path, checksums: dict[str, str]) -> None:
    from torchvision.datasets.utils import check_integrity

    for name, md5 in checksums.items():
        if not check_integrity(folder / name, md5):
            raise DataError(
                f"{folder / name} is not the published file: its checksum differs",
                f"MD5 {md5}",
                f"delete {folder} and load again",
            )
