"""The bytes of a file, whether it is compressed or not."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from hcat_nb.errors import DataError
from hcat_nb.registry import COMPRESSIONS


def read_bytes(file: Path, most: int = -1) -> bytes:
    """Return what a file holds, unpacked; at most so many bytes.

    Raises OSError, EOFError or ValueError if it cannot be unpacked.
    """
    with opened(file) as stream:
        content: bytes = stream.read(*((most,) if most >= 0 else ()))
    return content


@contextmanager
def opened(file: Path) -> Iterator[Any]:
    """Give the unpacked content of a file as a stream of bytes."""
    kind = _kind(file)
    if kind != ".zip":
        with _opened(file, kind, "rb") as stream:
            yield stream
        return
    with zipfile.ZipFile(file) as archive:
        named = (one for one in archive.namelist() if not one.startswith("__MACOSX/"))
        names = [name for name in named if not name.endswith("/")]
        if len(names) != 1:
            raise DataError(f"{file} holds {len(names)} files", "one", "unpack it")
        with archive.open(names[0]) as member:
            yield member


def unpacked(file: Path) -> Path | BytesIO:
    """Return what pandas can read: the file, or its content where pandas would need more.

    It wants a package for Zstandard, and nothing else in an archive, not even what macOS adds.
    """
    return BytesIO(read_bytes(file)) if _kind(file) in (".zip", ".zst") else file


def write_bytes(file: Path, content: bytes, kind: str, name: str) -> None:
    """Write a file, packed as ``kind`` (a suffix, or "") says; an archive's file is a ``name``."""
    if kind == ".zip":
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, content)
        return
    with _opened(file, kind, "wb") as opened:
        opened.write(content)


def _kind(file: Path) -> str:
    return file.suffix.lower() if file.suffix.lower() in COMPRESSIONS else ""


def _opened(file: Path, kind: str, mode: str) -> Any:
    openers: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
    if kind != ".zst":
        return openers.get(kind, open)(file, mode)
    import pyarrow as pa

    return (
        pa.CompressedInputStream(file, "zstd")
        if "r" in mode
        else (pa.CompressedOutputStream(file, "zstd"))
    )
