"""MNIST and its kin: datasets in idx files, plain or gzipped.

Format: two zero bytes, a type byte (8 = unsigned byte), the number of
dimensions, each dimension as a big-endian int32, then the values (Y. LeCun,
C. Cortes, C. Burges, The MNIST database of handwritten digits).
"""

from __future__ import annotations

import gzip
import zlib
from math import prod
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.data.sources._downloads import data_root, download, missing
from hcat_nb.data.sources.base import Source
from hcat_nb.errors import DataError

_UNSIGNED_BYTE = 8


def find_idx(folder: Path, stem: str) -> Path | None:
    """Return the file ``stem`` or, where only that lies there, ``stem.gz``."""
    for path in (folder / stem, folder / f"{stem}.gz"):
        if path.is_file():
            return path
    return None


def read_idx(path: Path, dimensions: int) -> Tensor:
    """Return the values of an idx file of so many dimensions; a gzipped one is unpacked."""
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise _damaged(path, f"it cannot be unpacked ({error})") from error
    head = 4 + 4 * dimensions
    magic = bytes((0, 0, _UNSIGNED_BYTE, dimensions))
    if len(content) < head or content[:4] != magic:
        raise _damaged(
            path,
            f"it starts with {content[:4].hex() or 'nothing'}, "
            f"not with {magic.hex()} (unsigned bytes, {dimensions} dimensions)",
        )
    shape = [int.from_bytes(content[i : i + 4], "big") for i in range(4, head, 4)]
    if len(content) != head + prod(shape):
        claimed = " x ".join(map(str, shape))
        raise _damaged(
            path, f"it claims {claimed} values, but holds {len(content) - head:,} bytes of them"
        )
    if prod(shape) == 0:
        raise _damaged(path, "it holds no value")
    # a writable copy: torch has no read-only tensors
    return torch.frombuffer(bytearray(content), dtype=torch.uint8, offset=head).reshape(shape)


def _damaged(path: Path, why: str) -> DataError:
    return DataError(f"{path} is damaged: {why}", "the published file", "delete it and load again")


def idx_dataset(
    source: Source,
    torchvision_name: str,
    class_values: tuple[Any, ...],
    *,
    flip_keeps_label: bool,
) -> LabelledDataset:
    """Return the training set of MNIST or one of its kin; download it if need be.

    Both torchvision's layout, ``<root>/<torchvision_name>/raw``, and the gzipped originals in the
    same place are read; nothing is written there.
    """
    raw = _raw_folder(data_root(source.root), torchvision_name)
    stems = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")
    paths = [find_idx(raw, stem) for stem in stems]
    if None in paths:
        expected = " and ".join(stems) + " there, plain or as .gz"
        folder = f"{torchvision_name}/raw"
        if raw != data_root(source.root) / folder:
            raise missing(source, raw, folder, expected)
        download(source, torchvision_name, folder, expected)
        paths = [find_idx(raw, stem) for stem in stems]
    images, labels = (
        read_idx(path, dimensions) for path, dimensions in zip(paths, (3, 1), strict=True) if path
    )
    _check_pair(raw, images, labels, len(class_values))
    return LabelledDataset(
        name=source.name,
        features=images[:, None],
        labels=labels.long(),
        class_values=class_values,
        sample_ids=pd.RangeIndex(len(images)),
        value_range=(0.0, 255.0),
        flip_keeps_label=flip_keeps_label,
    )


def _raw_folder(root: Path, torchvision_name: str) -> Path:
    """Return where the raw files lie; ``root`` may be one of the inner folders itself."""
    if root.name == "raw" and root.parent.name == torchvision_name:
        return root
    if root.name == torchvision_name and (root / "raw").is_dir():
        return root / "raw"
    return root / torchvision_name / "raw"


def _check_pair(raw: Path, images: Tensor, labels: Tensor, n_classes: int) -> None:
    if len(images) != len(labels):
        raise DataError(
            f"{raw} holds {len(images)} images, but {len(labels)} labels",
            "one label an image",
            "delete both files and load again",
        )
    if int(labels.max()) >= n_classes:
        raise DataError(
            f"{raw} holds the label {int(labels.max())}", f"labels 0 to {n_classes - 1}"
        )
