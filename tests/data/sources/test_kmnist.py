"""Kuzushiji-MNIST from small files in the published format, downloaded and read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torchvision

from hcat_nb.data.sources.kmnist import CLASSES, KMNIST
from hcat_nb.errors import MissingDataError


def test_the_classes_are_torchvisions() -> None:
    assert list(CLASSES) == torchvision.datasets.KMNIST.classes


def test_it_is_downloaded_by_torchvision_and_read(
    tmp_path: Path,
    write_idx: Callable[..., None],
    images: np.ndarray,
    labels: np.ndarray,
    serve: Callable[[Path], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mirror = tmp_path / "mirror"
    write_idx(mirror, gzipped=True)
    sums = [(f.name, hashlib.md5(f.read_bytes()).hexdigest()) for f in sorted(mirror.iterdir())]
    published = torchvision.datasets.KMNIST
    monkeypatch.setattr(published, "mirrors", [serve(mirror)])
    monkeypatch.setattr(published, "resources", sums)
    dataset = KMNIST(root=tmp_path / "root").load()
    assert np.array_equal(dataset.features[:, 0].numpy(), images)
    assert dataset.labels.tolist() == labels.tolist()
    assert dataset.class_values == CLASSES
    assert not dataset.flip_keeps_label
    assert len(KMNIST(root=tmp_path / "root", download=False).load()) == len(labels)


def test_absent_files_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="the files of 'kmnist' are not in"):
        KMNIST(root=tmp_path, download=False).load()
