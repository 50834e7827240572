"""CIFAR-10: a small set in torchvision's layout; altered pickles are never opened."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.datasets import CIFAR10 as PUBLISHED

from hcat_nb.data.sources.cifar10 import CIFAR10
from hcat_nb.errors import DataError, MissingDataError

FOLDER = "cifar-10-batches-py"
NAMES = [*"abcdefghij"]
ROWS = np.random.default_rng(0).integers(0, 256, (10, 3072), dtype=np.uint8)
LABELS = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write five batches of two images, and make their checksums the published ones."""
    folder = tmp_path / FOLDER
    folder.mkdir()

    def write(name: str, content: object) -> str:
        packed = pickle.dumps(content)
        (folder / name).write_bytes(packed)
        return hashlib.md5(packed).hexdigest()

    train = []
    for i in range(5):
        rows = slice(2 * i, 2 * i + 2)
        batch = {"data": ROWS[rows], "labels": LABELS[rows]}
        train.append([f"data_batch_{i + 1}", write(f"data_batch_{i + 1}", batch)])
    test = [["test_batch", write("test_batch", {"data": ROWS[:1], "labels": [0]})]]
    meta = {**PUBLISHED.meta, "md5": write("batches.meta", {"label_names": NAMES})}
    monkeypatch.setattr(PUBLISHED, "train_list", train)
    monkeypatch.setattr(PUBLISHED, "test_list", test)
    monkeypatch.setattr(PUBLISHED, "meta", meta)
    return tmp_path


@pytest.mark.parametrize("inner", ["", FOLDER])
def test_the_training_set_is_read_in_order(root: Path, inner: str) -> None:
    before = sorted(root.rglob("*"))
    dataset = CIFAR10(root=root / inner, download=False).load()
    assert sorted(root.rglob("*")) == before
    assert dataset.features.dtype == torch.uint8
    # each row holds the red, the green and the blue plane, row by row
    assert np.array_equal(dataset.features.numpy(), ROWS.reshape(10, 3, 32, 32))
    assert dataset.features.is_contiguous()
    assert dataset.labels.tolist() == LABELS
    assert dataset.class_values == tuple(NAMES)
    assert dataset.flip_keeps_label
    assert dataset.value_range == (0, 255)


class _Trap:
    """Unpickling this makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("name", ["data_batch_3", "batches.meta"])
@pytest.mark.parametrize("download", [False, True])
def test_an_altered_file_is_refused_unopened(root: Path, name: str, download: bool) -> None:
    trap = root / "sprung"
    (root / FOLDER / name).write_bytes(pickle.dumps(_Trap(trap)))
    with pytest.raises(DataError, match=rf"{name} is not the published file.*MD5.*delete"):
        CIFAR10(root=root, download=download).load()
    assert not trap.exists()


def test_absent_files_are_an_error_with_path_and_remedy(root: Path) -> None:
    (root / FOLDER / "data_batch_2").unlink()
    with pytest.raises(MissingDataError) as caught:
        CIFAR10(root=root, download=False).load()
    assert str(root / FOLDER) in str(caught.value)
    assert f"the folder that holds {FOLDER}" in str(caught.value)


def test_without_a_network_the_error_names_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # nothing listens on port 1
    monkeypatch.setattr(PUBLISHED, "url", "http://127.0.0.1:1/cifar-10-python.tar.gz")
    with pytest.raises(MissingDataError, match="could not be downloaded"):
        CIFAR10(root=tmp_path).load()
    assert not list(tmp_path.iterdir())
