"""Where features lie (``data_on``): on the model's device, in memory, or in a mapped file.

:func:`lies_on_disk` decides between memory and file when they are read,
:func:`place_features` before training whether they move to the device.

A temporary file has no name once it is open where the system allows that, so
nothing is left behind however the process ends; it lies in the folder that
``TMPDIR`` names.  Its space is reserved when it is made: a disk that fills up
while a mapped file is written to would end the process.
"""

from __future__ import annotations

import math
import mmap
import os
import platform
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from hcat_nb.data.feature_stream import FeatureStream
from hcat_nb.errors import TooLargeError

if TYPE_CHECKING:
    from hcat_nb.data.dataset import LabelledDataset
    from hcat_nb.data.feature_stream import Features

# Left free on a GPU: activations of a batch, workspaces of its libraries, fragments.
_SPARE = 2**30
# Processors on which Linux has the same number for MAP_NORESERVE.
_COMMON = ("x86_64", "aarch64")

# Less than that is not asked about: reading what is free takes longer than to fill it.
_SMALL = 2**20
# The rest is for training, for tables, and for a copy that an injected hardness makes.
_SHARE = 0.5
_BLOCK = 2**26  # bytes that are copied at a time
# Python does not name it in all versions.
_NORESERVE = 0x4000 if platform.system() == "Linux" and platform.machine() in _COMMON else 0
_CGROUP = Path("/sys/fs/cgroup")


def allocate(
    shape: tuple[int, ...], dtype: np.dtype[np.generic] | type, data_on: str = "auto"
) -> np.ndarray:
    """Return an array to be filled: in memory, or a ``numpy.memmap`` over a temporary file.

    ``data_on`` {"auto", "device", "host", "disk"}: ``disk``: a file; ``auto``: a file if the array
    would take more than half of the memory that is free; else memory. Raises TooLargeError if there
    is not so much memory, or disk.
    """
    dtype = np.dtype(dtype)
    size = math.prod(shape) * dtype.itemsize
    if lies_on_disk(size, data_on):
        return _in_temporary_file(shape, dtype, size)
    if size > _SMALL and size > (free := free_host_memory()):
        raise TooLargeError(
            f"the features take {size / 1e9:.1f} GB",
            f"at most the {free / 1e9:.1f} GB of memory that are free",
            "data_on=disk",
        )
    return np.empty(shape, dtype)


def lies_on_disk(size: int, data_on: str) -> bool:
    """Whether so many bytes of features belong into a mapped file."""
    if data_on != "auto":
        return data_on == "disk"
    return size > _SMALL and size > _SHARE * free_host_memory()


@dataclass(frozen=True, eq=False)
class Placement:
    """Features where batches can be taken from them.

    ``data_on`` says where they lie ("device", "host", "disk"; memory is a CPU's device),
    ``note`` what to tell of it, empty where nothing is out of the ordinary.
    """

    features: Features
    data_on: str
    note: str = ""


def place_features(
    dataset: LabelledDataset, device: torch.device, data_on: str, reserved: int, free: int
) -> Placement:
    """Put features where they were asked for, or on the first of device, host and disk.

    ``device`` is that of the model; ``reserved`` bytes of it the run will still take for other
    things, of ``free`` that there are.

    Raises TooLargeError if they shall be on the device, which has no room for them.
    """
    size = dataset.features.nbytes
    on_cpu = device.type == "cpu"
    if on_cpu and not dataset.mapped:
        return Placement(dataset.features, "host" if data_on == "host" else "device")
    left = free - reserved
    if data_on == "device" and size > left and not on_cpu:
        raise TooLargeError(
            f"the features take {size / 1e9:.1f} GB",
            f"at most the {max(0, left) / 1e9:.1f} GB that the run leaves on {device}",
            "data_on=host",
        )
    if not on_cpu and (data_on == "device" or (data_on == "auto" and size + _SPARE <= left)):
        return Placement(dataset.features.to(device), "device")
    where = "disk" if dataset.mapped else "host"
    place = "a memory-mapped file" if dataset.mapped else "host memory"
    how = "read" if on_cpu else f"read and copied to {device}"
    note = f"the features ({size / 1e6:,.1f} MB) stay in {place}: batches are {how} ahead of time"
    return Placement(FeatureStream(dataset.features, device), where, note)


def is_mapped(array: np.ndarray) -> bool:
    """Whether an array lies in a mapped file."""
    return _map_of(array) is not None


def private_map(array: np.ndarray) -> np.ndarray | None:
    """Return the same values over a private map of the same file, None if there is none.

    What is written into it stays in memory and never reaches the file; what others write into the
    file later may arrive in it.

    ``array``: of any kind; also a part of a ``numpy.memmap``.
    """
    held = _map_of(array)
    if not isinstance(array, np.memmap) or held is None or not array.flags.c_contiguous:
        return None
    if array.filename is None or array.mode == "c":  # what was written to it is in no file
        return None
    start = np.frombuffer(held, dtype=np.uint8).ctypes.data
    mapped_from = array.offset - array.offset % mmap.ALLOCATIONGRANULARITY
    offset = mapped_from + array.ctypes.data - start
    with open(array.filename, "rb") as file:
        mine = _mapped_privately(file)
    return np.frombuffer(mine, array.dtype, array.size, offset).reshape(array.shape)


def copied(features: Tensor, data_on: str) -> Tensor:
    """Return a copy of features, in memory or in a temporary file, as :func:`allocate` has it.

    Raises TooLargeError if there is not so much memory, or disk.
    """
    source = features.numpy()
    out = allocate(source.shape, source.dtype, data_on)
    step = _rows_at_a_time(source)
    for start in range(0, len(source), step):
        out[start : start + step] = source[start : start + step]
    return torch.from_numpy(out)


def taken(features: Tensor, rows: Tensor) -> tuple[Tensor, bool]:
    """Return some rows of mapped features, and whether memory did not hold them: mapped as well."""
    source, chosen = features.numpy(), rows.numpy()
    out = allocate((len(chosen), *source.shape[1:]), source.dtype)
    step = _rows_at_a_time(source)
    for start in range(0, len(chosen), step):
        out[start : start + step] = source[chosen[start : start + step]]
    return torch.from_numpy(out), is_mapped(out)


def _mapped_privately(file: IO[bytes]) -> mmap.mmap:
    if not hasattr(mmap, "MAP_PRIVATE"):
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    # Else Linux promises memory for every page that may be written to, and refuses to map a
    # file that is larger than memory and swap.
    flags = mmap.MAP_PRIVATE | getattr(mmap, "MAP_NORESERVE", _NORESERVE)
    return mmap.mmap(file.fileno(), 0, flags=flags, prot=mmap.PROT_READ | mmap.PROT_WRITE)


def _map_of(array: np.ndarray) -> mmap.mmap | None:
    return getattr(array, "_mmap", None)  # a memmap's copy has none


def _rows_at_a_time(array: np.ndarray) -> int:
    return max(1, _BLOCK // max(1, math.prod(array.shape[1:]) * array.itemsize))


def _in_temporary_file(
    shape: tuple[int, ...], dtype: np.dtype[np.generic], size: int
) -> np.ndarray:
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    too_large = TooLargeError(
        f"the features take {size / 1e9:.1f} GB on disk",
        f"at most the {free / 1e9:.1f} GB that are free in {folder}",
        "let the variable TMPDIR name a folder with more space",
    )
    if size > free:
        raise too_large
    if size == 0:
        return np.empty(shape, dtype)
    with tempfile.TemporaryFile(prefix="hcat-features-") as file:
        _reserve(file, size, too_large)
        return np.memmap(file, dtype, "r+", 0, shape)


def _reserve(file: IO[bytes], size: int, too_large: TooLargeError) -> None:
    if not hasattr(os, "posix_fallocate"):
        file.truncate(size)
        return
    try:
        os.posix_fallocate(file.fileno(), 0, size)
    except OSError as error:
        raise too_large from error


def free_host_memory() -> int:
    """Return the bytes that this process may still take.

    The lesser of what the system can give without swapping and what a
    container's limit (cgroup v2) and the process's own (``ulimit -v``) leave.
    """
    import psutil

    free = int(psutil.virtual_memory().available)
    limits = (_left_in_cgroup(_CGROUP), _left_of_addresses())
    return min([free, *(left for left in limits if left is not None)])


def _left_of_addresses() -> int | None:
    """Return what the limit of this process's address space leaves."""
    if sys.platform == "win32":
        return None
    import resource

    import psutil

    most, _ = resource.getrlimit(resource.RLIMIT_AS)
    if most == resource.RLIM_INFINITY:
        return None
    return max(0, most - int(psutil.Process().memory_info().vms))


def _left_in_cgroup(folder: Path) -> int | None:
    """Return what the limit of a container leaves, reclaimable file pages included."""
    limit, current, stat = (folder / f"memory.{name}" for name in ("max", "current", "stat"))
    if not (limit.is_file() and current.is_file() and stat.is_file()):
        return None
    most = limit.read_text().strip()
    if most == "max":
        return None
    pages = dict(line.split() for line in stat.read_text().splitlines())
    return int(most) - int(current.read_text()) + int(pages.get("inactive_file", 0))
