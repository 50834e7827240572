"""SVHN from a small MATLAB file in the published layout, downloaded and read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.io import savemat
from torchvision.datasets import SVHN as PUBLISHED

from hcat_nb.data.sources.svhn import SVHN
from hcat_nb.errors import DataError, MissingDataError

IMAGES = np.random.default_rng(0).integers(0, 256, (32, 32, 3, 6), dtype=np.uint8)
LABELS = [1, 10, 9, 2, 10, 5]  # 10 stands for the digit 0


@pytest.fixture
def mirror(tmp_path: Path, serve: Callable[[Path], str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write the file, and make its place and checksum the published ones."""
    file = tmp_path / "mirror" / "train_32x32.mat"
    file.parent.mkdir()
    savemat(file, {"X": IMAGES, "y": np.array(LABELS, np.uint8)[:, None]})
    md5 = hashlib.md5(file.read_bytes()).hexdigest()
    monkeypatch.setattr(
        PUBLISHED, "split_list", {"train": [serve(file.parent) + file.name, "train_32x32.mat", md5]}
    )
    return file.parent


def test_the_training_set_is_read(mirror: Path) -> None:
    dataset = SVHN(root=mirror, download=False).load()
    assert dataset.features.dtype == torch.uint8
    assert np.array_equal(dataset.features.numpy(), IMAGES.transpose(3, 2, 0, 1))
    assert dataset.features.is_contiguous()
    assert dataset.labels.tolist() == [1, 0, 9, 2, 0, 5]
    assert dataset.class_values == tuple(range(10))
    assert not dataset.flip_keeps_label


def test_it_is_downloaded_by_torchvision_and_found_the_next_time(
    mirror: Path, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    assert len(SVHN(root=root).load()) == 6
    assert [path.name for path in root.iterdir()] == ["train_32x32.mat"]
    assert len(SVHN(root=root, download=False).load()) == 6


def test_an_altered_file_is_refused(mirror: Path) -> None:
    with (mirror / "train_32x32.mat").open("ab") as file:
        file.write(b"x")
    with pytest.raises(DataError, match=r"train_32x32.mat is not the published file.*MD5"):
        SVHN(root=mirror).load()


def test_an_absent_file_is_an_error_with_path_and_remedy(mirror: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match=r"the folder that holds train_32x32.mat"):
        SVHN(root=tmp_path / "root", download=False).load()
    (mirror / "train_32x32.mat").unlink()
    with pytest.raises(MissingDataError, match="could not be downloaded"):
        SVHN(root=tmp_path / "root").load()
