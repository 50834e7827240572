"""What a dataset's files hold, as a short digest that is part of a run's address."""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from hcat_nb.data.files.table_files import table_files
from hcat_nb.errors import MissingDataError
from hcat_nb.registry import names_file

_BYTES = 16


def content_of(path: Path) -> str:
    """Return a digest of a file, those of a table's parts, or that of a folder of images.

    Of such a folder by the names and sizes of its files: to read each image would take longer than
    to train on it. They tell one that was removed, added, moved to another class or saved anew;
    the time of the last change does not count, since a copy on another machine has another.
    """
    if path.is_dir() and not names_file(str(path)):
        return _of_folder(path)
    if path.is_dir() or (any(sign in path.name for sign in "*?[") and not path.is_file()):
        return " ".join(f"{one.name} {content_of(one)}" for one in table_files(path))
    if not path.is_file():
        raise MissingDataError(
            f"the file or folder {path} is absent", "a table, an array or images"
        )
    seen = path.stat()
    return _of_file(path, seen.st_mtime_ns, seen.st_size)


def forget() -> None:
    """Look at files anew: they may have changed."""
    _of_file.cache_clear()
    _of_folder.cache_clear()


@functools.lru_cache(maxsize=64)
def _of_file(path: Path, _changed: int, _size: int) -> str:
    """Return a digest of a file, which many runs share and which memory need not hold."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=_BYTES)).hexdigest()


@functools.lru_cache(maxsize=64)
def _of_folder(path: Path) -> str:
    digest = hashlib.blake2b(digest_size=_BYTES)
    for name, size in sorted(_files(path)):
        digest.update(f"{name}\0{size}\0".encode(errors="surrogateescape"))
    return digest.hexdigest()


def _files(root: Path) -> Iterator[tuple[str, int]]:
    """Yield the path below ``root`` and the size of each file that is not hidden."""
    for folder, inner, names in os.walk(root, followlinks=True):
        inner[:] = [name for name in inner if not name.startswith(".")]
        for name in names:
            path = Path(folder, name)
            if not name.startswith(".") and path.is_file():
                yield path.relative_to(root).as_posix(), path.stat().st_size
