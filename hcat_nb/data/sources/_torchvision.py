"""Where torchvision's datasets lie, and how they get there."""

from __future__ import annotations

import os
import shutil
import tempfile
from http.client import HTTPException
from pathlib import Path
from typing import Any

from torch import Tensor

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.data.sources._idx import find_idx, read_idx
from hcat_nb.data.sources.base import Source
from hcat_nb.errors import DataError, MissingDataError

__all__ = ["data_root", "download", "idx_dataset", "missing"]


def data_root(root: Path | None) -> Path:
    """Return the folder of datasets: ``root``, else $HCAT_DATA, else the user's cache."""
    if root is not None:
        return root.expanduser()
    if chosen := os.environ.get("HCAT_DATA"):
        return Path(chosen).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "hcat_nb"


def missing(
    source: Source, looked_at: Path, folder: str, expected: str, why: str = ""
) -> MissingDataError:
    """Return the error for a dataset whose files are absent."""
    allow = "" if source.download else ", or allow the download (download=True)"
    return MissingDataError(
        f"the files of {source.name!r} are not in {looked_at}" + (f", and {why}" if why else ""),
        expected,
        f"set HCAT_DATA, or root=, to the folder that holds {folder}{allow}",
    )


def download(source: Source, torchvision_name: str, folder: str, expected: str) -> None:
    """Let torchvision download ``folder``, or a file, into the source's root, or raise.

    The files arrive in a temporary folder and are moved when complete and
    checked, so that an interrupted download leaves nothing behind.

    Raises
    ------
    MissingDataError
        If the download is not allowed, or fails.
    """
    root = data_root(source.root)
    if not source.download:
        raise missing(source, root / folder, folder, expected)
    import torchvision

    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".download-", dir=root) as staging:
            getattr(torchvision.datasets, torchvision_name)(staging, download=True)
            top = Path(staging) / folder
            for path in [top, *sorted(top.rglob("*"))]:
                if path.is_file():
                    goal = root / path.relative_to(staging)
                    goal.parent.mkdir(parents=True, exist_ok=True)
                    shutil.move(path, goal)
    except (OSError, RuntimeError, HTTPException) as error:
        reason = " ".join(str(error).split())
        why = f"they could not be downloaded ({reason})"
        raise missing(source, root / folder, folder, expected, why) from error


def idx_dataset(
    source: Source,
    torchvision_name: str,
    class_values: tuple[Any, ...],
    *,
    flip_keeps_label: bool,
) -> LabelledDataset:
    """Return the training set of MNIST or one of its kin; download it if need be.

    Both torchvision's layout, ``<root>/<torchvision_name>/raw``, and the
    gzipped originals in the same place are read; nothing is written there.

    Raises
    ------
    MissingDataError
        If the files are absent and may not, or cannot, be downloaded.
    DataError
        If a file is damaged.
    """
    import pandas as pd

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
