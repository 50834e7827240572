"""Reader of idx files, plain or gzipped, the format of MNIST and its kin.

Format: two zero bytes, a type byte (8 = unsigned byte), the number of
dimensions, each dimension as a big-endian int32, then the values (Y. LeCun,
C. Cortes, C. Burges, The MNIST database of handwritten digits).
"""

from __future__ import annotations

import gzip
import zlib
from math import prod
from pathlib import Path

import torch
from torch import Tensor

from hcat_nb.errors import DataError

__all__ = ["find_idx", "read_idx"]

_UNSIGNED_BYTE = 8


def find_idx(folder: Path, stem: str) -> Path | None:
    """Return the file ``stem`` or, where only that lies there, ``stem.gz``."""
    for path in (folder / stem, folder / f"{stem}.gz"):
        if path.is_file():
            return path
    return None


def read_idx(path: Path, dimensions: int) -> Tensor:
    """Return the values of an idx file; a gzipped one is unpacked in memory.

    Parameters
    ----------
    path : Path
        File, gzipped if its name ends in ``.gz``.
    dimensions : int
        Dimensions that it has to have.

    Raises
    ------
    DataError
        If the file is no such idx file, or shorter or longer than it claims.
    """
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
