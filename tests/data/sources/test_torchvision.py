"""Where files are looked for, and downloads: real ones, from a server in this process."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torchvision

from hcat_nb.data.sources._torchvision import data_root, find_idx, read_idx
from hcat_nb.data.sources.mnist import MNIST
from hcat_nb.errors import DataError, MissingDataError

Write = Callable[..., None]
ARRAY = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
# two zero bytes, type 8, 3 dimensions; 2, 3, 4 as big-endian int32; values
SOUND = bytes.fromhex("00000803 00000002 00000003 00000004") + ARRAY.tobytes()


@pytest.fixture
def mirror(
    tmp_path: Path,
    write_idx: Write,
    serve: Callable[[Path], str],
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """Serve small files in the published names where torchvision looks for MNIST."""
    folder = tmp_path / "mirror"
    write_idx(folder, gzipped=True)
    sums = [(f.name, hashlib.md5(f.read_bytes()).hexdigest()) for f in sorted(folder.iterdir())]
    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", [serve(folder)])
    monkeypatch.setattr(torchvision.datasets.MNIST, "resources", sums)
    return folder


def test_the_root_is_the_option_else_the_variable_else_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HCAT_DATA", str(tmp_path / "variable"))
    assert data_root(tmp_path / "option") == tmp_path / "option"
    assert data_root(None) == tmp_path / "variable"
    monkeypatch.delenv("HCAT_DATA")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert data_root(None) == tmp_path / "cache" / "hcat_nb"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert data_root(None) == tmp_path / ".cache" / "hcat_nb"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("gzipped", [False, True])
@pytest.mark.parametrize("inner", ["", "MNIST", "MNIST/raw"])
def test_plain_and_gzipped_files_are_read_and_nothing_is_written(
    tmp_path: Path,
    write_idx: Write,
    images: np.ndarray,
    labels: np.ndarray,
    gzipped: bool,
    inner: str,
) -> None:
    write_idx(tmp_path / "MNIST" / "raw", gzipped=gzipped)
    before = sorted(tmp_path.rglob("*"))
    dataset = MNIST(root=tmp_path / inner).load()
    assert sorted(tmp_path.rglob("*")) == before
    assert np.array_equal(dataset.features[:, 0].numpy(), images)
    assert dataset.labels.tolist() == labels.tolist()


def test_absent_files_are_an_error_with_path_and_remedy(tmp_path: Path) -> None:
    root = tmp_path / "nowhere"
    with pytest.raises(MissingDataError) as caught:
        MNIST(root=root, download=False).load()
    text = str(caught.value)
    assert f"the files of 'mnist' are not in {root / 'MNIST' / 'raw'}" in text
    assert "set HCAT_DATA, or root=, to the folder that holds MNIST/raw" in text
    assert "download=True" in text
    assert not root.exists()


def test_an_absent_dataset_is_downloaded_and_found_the_next_time(
    tmp_path: Path, mirror: Path, labels: np.ndarray
) -> None:
    root = tmp_path / "root"
    assert MNIST(root=root).load().labels.tolist() == labels.tolist()
    assert [path.name for path in root.iterdir()] == ["MNIST"]
    assert MNIST(root=root, download=False).load().labels.tolist() == labels.tolist()
    # torchvision itself finds its own layout there
    assert len(torchvision.datasets.MNIST(root, train=True)) == len(labels)


def test_a_download_that_fails_leaves_nothing_behind(tmp_path: Path, mirror: Path) -> None:
    (mirror / "train-labels-idx1-ubyte.gz").write_bytes(b"another file")
    root = tmp_path / "root"
    with pytest.raises(MissingDataError, match="could not be downloaded") as caught:
        MNIST(root=root).load()
    assert str(root / "MNIST" / "raw") in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not list(root.iterdir())


def test_without_a_network_the_error_names_path_and_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # nothing listens on port 1
    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", ["http://127.0.0.1:1/"])
    with pytest.raises(MissingDataError, match=r"could not be downloaded .*set HCAT_DATA"):
        MNIST(root=tmp_path).load()


def test_a_root_that_cannot_be_made_is_an_error_of_the_same_kind(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(MissingDataError, match="could not be downloaded"):
        MNIST(root=tmp_path / "file" / "below").load()


def test_files_that_do_not_belong_together_are_refused(tmp_path: Path, write_idx: Write) -> None:
    raw = tmp_path / "MNIST" / "raw"
    write_idx(raw, gzipped=False)
    path = raw / "train-labels-idx1-ubyte"
    path.write_bytes(bytes.fromhex("00000801 00000002 0102"))
    with pytest.raises(DataError, match="6 images, but 2 labels"):
        MNIST(root=tmp_path).load()
    path.write_bytes(bytes.fromhex("00000801 00000006 01020304050a"))
    with pytest.raises(DataError, match="label 10"):
        MNIST(root=tmp_path).load()


@pytest.mark.parametrize("gzipped", [False, True])
def test_values_come_back(tmp_path: Path, gzipped: bool) -> None:
    path = tmp_path / ("a.gz" if gzipped else "a")
    path.write_bytes(gzip.compress(SOUND) if gzipped else SOUND)
    assert np.array_equal(read_idx(path, 3).numpy(), ARRAY)


def test_the_plain_file_goes_before_the_gzipped(tmp_path: Path) -> None:
    assert find_idx(tmp_path, "a") is None
    (tmp_path / "a.gz").touch()
    assert find_idx(tmp_path, "a") == tmp_path / "a.gz"
    (tmp_path / "a").touch()
    assert find_idx(tmp_path, "a") == tmp_path / "a"


# ids by hand: pytest would write the bytes out, and gzip's carry the time of day, so that
# two workers of pytest-xdist would collect different tests
@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        pytest.param(
            "a", SOUND[:-1], "claims 2 x 3 x 4 values, but holds 23 bytes", id="a-byte-short"
        ),
        pytest.param("a", SOUND + b"x", "but holds 25 bytes", id="a-byte-long"),
        pytest.param("a", SOUND[:3], "starts with 000008, not with 00000803", id="cut-magic"),
        pytest.param("a", b"", "starts with nothing", id="empty"),
        pytest.param("a", b"\x00\x00\x0d\x03" + SOUND[4:], "not with 00000803", id="floats"),
        pytest.param("a", b"\x00\x00\x08\x01" + SOUND[4:], "3 dimensions", id="labels"),
        pytest.param(
            "a", bytes.fromhex("00000803 00000000 00000003 00000004"), "no value", id="no-image"
        ),
        pytest.param("a.gz", gzip.compress(SOUND)[:-12], "cannot be unpacked", id="cut-gzip"),
        pytest.param("a.gz", SOUND, "cannot be unpacked", id="not-gzip"),
    ],
)
def test_a_damaged_file_is_named_with_the_fault(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read_idx(path, 3)
    assert str(path) in str(caught.value)
