"""Features lie in memory, in mapped files or on a device: where, that they are right, no leaks."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import hcat_nb as hcat
from hcat_nb.data import placement
from hcat_nb.data.feature_stream import FeatureStream
from hcat_nb.data.placement import (
    _SPARE,
    _left_in_cgroup,
    allocate,
    copied,
    free_host_memory,
    is_mapped,
    lies_on_disk,
    place_features,
    private_map,
    taken,
)
from hcat_nb.errors import TooLargeError

X = np.random.default_rng(0).normal(size=(100, 5)).astype(np.float32)
Y = np.arange(100) % 2
SIZE = X.nbytes
CPU = torch.device("cpu")
# Stands for a GPU: a device with a memory of its own, to which tensors can be moved.
OTHER = torch.device("meta")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placement, "free_host_memory", lambda: 4 * placement._SMALL)


def test_small_arrays_lie_in_memory_and_large_ones_on_disk(folder: Path, little: None) -> None:
    half = 2 * placement._SMALL
    assert not is_mapped(allocate((half,), np.uint8))
    assert is_mapped(allocate((half + 1,), np.uint8))
    assert is_mapped(allocate((3,), np.uint8, "disk"))
    assert not is_mapped(allocate((half + 1,), np.uint8, "host"))
    assert not lies_on_disk(10**15, "device")


def test_no_temporary_file_has_a_name(folder: Path) -> None:
    array = allocate((100, 3), np.float32, "disk")
    array[:] = 1.5
    assert array.sum() == 450
    assert list(folder.iterdir()) == []


def test_more_than_memory_holds_is_refused(little: None) -> None:
    with pytest.raises(TooLargeError, match="to mend it: data_on=disk"):
        allocate((4 * placement._SMALL + 1,), np.uint8, "host")


def test_more_than_the_disk_holds_is_refused(folder: Path) -> None:
    with pytest.raises(TooLargeError, match="TMPDIR"):
        allocate((10**9, 10**9), np.float32, "disk")


def test_a_disk_that_is_full_all_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(placement.os, "posix_fallocate", full)
    with pytest.raises(TooLargeError, match="TMPDIR"):
        allocate((100,), np.float32, "disk")


def test_a_private_map_is_the_same_memory_until_it_is_written_to(tmp_path: Path) -> None:
    values = np.arange(30_000, dtype=np.float32).reshape(-1, 3)
    np.save(tmp_path / "x.npy", values)
    given = np.load(tmp_path / "x.npy", mmap_mode="r")
    mine = private_map(given)
    assert mine is not None
    np.testing.assert_array_equal(mine, values)
    mine[0] = -1
    np.testing.assert_array_equal(given, values)
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), values)


@pytest.mark.parametrize("first", [1, 1000, 5000, 9999])
def test_a_part_of_a_map_is_mapped_from_where_it_begins(tmp_path: Path, first: int) -> None:
    values = np.arange(30_000, dtype=np.float32).reshape(-1, 3)
    np.save(tmp_path / "x.npy", values)
    # a map that itself begins somewhere in the file, past the granularity of maps
    given = np.memmap(tmp_path / "x.npy", np.float32, "r", 128 + 12 * 700, (9300, 3))
    mine = private_map(given[first:])
    if first == 9999:
        assert mine is None or mine.shape[0] == 0
        return
    np.testing.assert_array_equal(mine, values[700 + first :])


@pytest.mark.skipif(not placement._NORESERVE, reason="known of Linux on common processors")
def test_a_file_larger_than_memory_can_be_mapped(tmp_path: Path) -> None:
    with open(tmp_path / "x.raw", "wb") as file:
        file.truncate(2**41)  # a sparse file: it takes no space
    mine = private_map(np.memmap(tmp_path / "x.raw", np.float32, "r", 0, (2**32, 128)))
    assert mine is not None
    mine[2**31, 5] = 3
    assert mine[2**31].sum() == 3


def test_what_is_no_map_of_a_file_as_it_is_has_no_private_one(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((10, 4), np.float32))
    given = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert private_map(np.zeros((10, 4), np.float32)) is None
    assert private_map(given.copy()) is None
    assert private_map(given.T) is None
    assert private_map(given[:, :2]) is None
    assert private_map(np.load(tmp_path / "x.npy", mmap_mode="c")) is None
    assert private_map(allocate((10, 4), np.float32, "disk")) is None


@pytest.mark.parametrize("data_on", ["host", "disk"])
def test_copies_and_parts_hold_the_same_values(
    folder: Path, data_on: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(placement, "_BLOCK", 100)
    features = torch.arange(700.0).reshape(100, 7)
    again = copied(features, data_on)
    assert torch.equal(again, features)
    again[0] = -1
    assert features[0, 0] == 0
    rows = torch.tensor([5, 3, 99])
    part, mapped = taken(features, rows)
    assert torch.equal(part, features[rows])
    assert not mapped


def test_a_part_that_memory_does_not_hold_stays_on_disk(folder: Path, little: None) -> None:
    features = torch.arange(placement._SMALL, dtype=torch.float32).reshape(-1, 4)
    part, mapped = taken(features, torch.arange(len(features)))
    assert mapped
    assert torch.equal(part, features)


def test_a_container_leaves_what_its_limit_says(tmp_path: Path) -> None:
    assert _left_in_cgroup(tmp_path) is None
    (tmp_path / "memory.current").write_text("300\n")
    (tmp_path / "memory.stat").write_text("anon 200\ninactive_file 50\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert _left_in_cgroup(tmp_path) is None
    (tmp_path / "memory.max").write_text("1000\n")
    assert _left_in_cgroup(tmp_path) == 750


def test_this_machine_has_some_left() -> None:
    assert free_host_memory() > 2**20


@pytest.mark.skipif(sys.platform != "linux", reason="reads what Linux counts")
def test_the_limit_of_a_process_counts(forked) -> None:
    done = forked(
        "import psutil, resource\n"
        "from hcat_nb.data.placement import free_host_memory\n"
        "now = psutil.Process().memory_info().vms\n"
        "resource.setrlimit(resource.RLIMIT_AS, (now + 2**28, resource.RLIM_INFINITY))\n"
        "print(free_host_memory())\n"
    )
    assert done.returncode == 0, done.stdout
    assert 2**27 < int(done.stdout) <= 2**28


def _placed(device: torch.device, data_on: str, *, free: int, on_disk: bool = False):
    dataset = hcat.load(X, Y, data_on="disk" if on_disk else "host")
    return dataset, place_features(dataset, device, data_on, 10, free)


@pytest.mark.parametrize(("asked", "found"), [("auto", "device"), ("host", "host")])
def test_on_a_cpu_features_in_memory_are_indexed_as_they_are(asked: str, found: str) -> None:
    dataset, placement = _placed(CPU, asked, free=0)
    assert placement.features is dataset.features
    assert (placement.data_on, placement.note) == (found, "")


def test_on_a_cpu_features_in_a_file_are_streamed() -> None:
    _, placement = _placed(CPU, "auto", free=0, on_disk=True)
    assert isinstance(placement.features, FeatureStream)
    assert placement.data_on == "disk"
    assert "memory-mapped file: batches are read ahead" in placement.note


@pytest.mark.parametrize("on_disk", [False, True])
def test_what_fits_moves_to_the_device(on_disk: bool) -> None:
    _, placement = _placed(OTHER, "auto", free=SIZE + 10 + _SPARE, on_disk=on_disk)
    assert isinstance(placement.features, Tensor)
    assert placement.features.device == OTHER
    assert placement.data_on == "device"


@pytest.mark.parametrize(
    ("on_disk", "where", "words"),
    [(False, "host", "host memory"), (True, "disk", "a memory-mapped file")],
)
def test_what_does_not_fit_is_streamed(on_disk: bool, where: str, words: str) -> None:
    _, placement = _placed(OTHER, "auto", free=SIZE + 10 + _SPARE - 1, on_disk=on_disk)
    assert isinstance(placement.features, FeatureStream)
    assert placement.features.device == OTHER
    assert placement.data_on == where
    assert f"stay in {words}: batches are read and copied to meta ahead" in placement.note


def test_who_asks_for_host_memory_gets_it_where_all_would_fit() -> None:
    _, placement = _placed(OTHER, "host", free=2**40)
    assert isinstance(placement.features, FeatureStream)


def test_who_asks_for_a_device_without_room_is_told() -> None:
    assert _placed(OTHER, "device", free=SIZE + 10)[1].data_on == "device"
    with pytest.raises(TooLargeError, match="on meta; to mend it: data_on=host"):
        _placed(OTHER, "device", free=SIZE + 9)
