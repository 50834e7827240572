"""Files that are there whole or not at all, also after a kill or a loss of power."""

from __future__ import annotations

import csv
import os
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hcat_nb.errors import StoreError
from hcat_nb.runs.store.digests import sealed

DRAFT = ".draft-"  # what the name of an unfinished file begins with


def flush(path: Path) -> None:
    """Make sure that what was written is on disk; Windows does so for folders itself."""
    if os.name == "nt" and path.is_dir():
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def writing(what: object, remedy: str, *others: type[Exception]) -> Iterator[None]:
    """Say what helps where ``what`` cannot be written: of OSError, and of ``others``."""
    faults: tuple[type[Exception], ...] = (OSError, *others)
    try:
        yield
    except faults as error:
        raise StoreError(f"{what} cannot be written ({error})", remedy=remedy) from error


def make_room(path: Path) -> None:
    """Make the folder of a file, and try to write there: before the work whose result it takes."""
    draft = path.parent / f"{DRAFT}{uuid.uuid4().hex[:8]}"
    with writing(path, "choose another place"):
        if path.is_dir():
            raise IsADirectoryError("it is a folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.touch()
        draft.unlink()


def refuse_foreign(path: Path, columns: Collection[str], what: str) -> None:
    """Refuse to replace a file, unless it is a table of ours: one that has these columns."""
    if path.exists() and not set(columns) <= set(_columns(path)):
        raise StoreError(
            f"{path} exists and is no {what}", remedy="choose another name, or move it away"
        )


def _columns(path: Path) -> list[str]:
    """Return the columns of a table, none if it cannot be read as one."""
    try:
        if path.suffix.lower() == ".csv":
            with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
                return next(csv.reader(file), [])
        import pyarrow.parquet as pq

        names: list[str] = pq.read_schema(path).names
        return names
    except (OSError, ValueError, csv.Error):  # pyarrow's ArrowInvalid is a ValueError
        return []


def written_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` fill a file beside ``path``; flush it; then give it its name.

    What stood at ``path`` before stays until then.
    """
    draft = path.parent / f"{DRAFT}{uuid.uuid4().hex[:8]}"
    try:
        write(draft)
        flush(draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    flush(path.parent)


def delivered(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file for people, whole or not at all; StoreError where it cannot be written."""
    with writing(path, "make room there, or choose another place"):
        written_whole(path, write)


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write strict JSON, whole or not at all, with a digest; ValueError for NaN and infinity."""
    text = sealed(values)
    written_whole(path, lambda draft: draft.write_text(text, encoding="utf-8"))
