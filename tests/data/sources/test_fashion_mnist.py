"""Fashion-MNIST: its own folder, its class names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torchvision

from hcat_nb.data.sources.fashion_mnist import CLASSES, FashionMNIST
from hcat_nb.errors import MissingDataError


def test_class_names_are_torchvisions() -> None:
    assert list(CLASSES) == torchvision.datasets.FashionMNIST.classes


def test_the_training_set_is_read_from_its_own_folder(
    tmp_path: Path, write_idx: Callable[..., None]
) -> None:
    write_idx(tmp_path / "FashionMNIST" / "raw", gzipped=True)
    dataset = FashionMNIST(root=tmp_path, download=False).load()
    assert [dataset.class_values[code] for code in dataset.labels[:2]] == ["Dress", "Trouser"]
    assert dataset.flip_keeps_label


def test_mnists_files_are_not_taken_for_it(tmp_path: Path, write_idx: Callable[..., None]) -> None:
    write_idx(tmp_path / "MNIST" / "raw", gzipped=True)
    for root in (tmp_path, tmp_path / "MNIST", tmp_path / "MNIST" / "raw"):
        with pytest.raises(MissingDataError, match="FashionMNIST"):
            FashionMNIST(root=root, download=False).load()
