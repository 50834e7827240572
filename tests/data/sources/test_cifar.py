"""What CIFAR-10 and CIFAR-100 share: pickles are opened only if they are the published ones."""

from __future__ import annotations

import hashlib
import io
import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from torchvision.datasets import CIFAR100 as PUBLISHED

from hcat_nb.data.sources.cifar100 import CIFAR100
from hcat_nb.errors import DataError, MissingDataError


@pytest.fixture
def archive(tmp_path: Path, serve: Callable[[Path], str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write the archive that torchvision would download, and make it the published one."""
    rows = {"data": np.zeros((2, 3072), np.uint8), "fine_labels": [1, 0]}
    contents = {"train": rows, "test": rows, "meta": {"fine_label_names": ["a", "b"]}}
    packed = {name: pickle.dumps(content) for name, content in contents.items()}
    sums = {name: hashlib.md5(content).hexdigest() for name, content in packed.items()}
    file = tmp_path / PUBLISHED.filename
    with tarfile.open(file, "w:gz") as tar:
        for name, content in packed.items():
            member = tarfile.TarInfo(f"{PUBLISHED.base_folder}/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    monkeypatch.setattr(PUBLISHED, "url", serve(tmp_path) + file.name)
    monkeypatch.setattr(PUBLISHED, "tgz_md5", hashlib.md5(file.read_bytes()).hexdigest())
    monkeypatch.setattr(PUBLISHED, "train_list", [["train", sums["train"]]])
    monkeypatch.setattr(PUBLISHED, "test_list", [["test", sums["test"]]])
    monkeypatch.setattr(PUBLISHED, "meta", {**PUBLISHED.meta, "md5": sums["meta"]})
    return file


def test_the_archive_is_downloaded_unpacked_and_found_the_next_time(
    archive: Path, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    assert CIFAR100(root=root).load().labels.tolist() == [1, 0]
    names = {path.name for path in (root / PUBLISHED.base_folder).iterdir()}
    assert names == {"train", "test", "meta"}
    assert len(CIFAR100(root=root, download=False).load()) == 2
    assert len(CIFAR100(root=root / PUBLISHED.base_folder, download=False).load()) == 2


def test_an_altered_archive_leaves_nothing_behind(archive: Path, tmp_path: Path) -> None:
    with archive.open("ab") as file:
        file.write(b"x")
    root = tmp_path / "root"
    with pytest.raises(MissingDataError, match="could not be downloaded"):
        CIFAR100(root=root).load()
    assert not list(root.iterdir())


def test_an_altered_file_is_refused(archive: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    CIFAR100(root=root).load()
    (root / PUBLISHED.base_folder / "train").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(DataError, match="train is not the published file"):
        CIFAR100(root=root).load()
