"""Files that are there whole or not at all, also after a kill or a loss of power."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hcat_nb.errors import StoreError

__all__ = ["DRAFT", "flush", "make_room", "write_json", "written_whole"]

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


def make_room(path: Path) -> None:
    """Make the folder of a file, and try to write there: before the work whose result it takes.

    Raises
    ------
    StoreError
        If a file cannot be written there.
    """
    draft = path.parent / f"{DRAFT}{uuid.uuid4().hex[:8]}"
    try:
        if path.is_dir():
            raise IsADirectoryError("it is a folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.touch()
        draft.unlink()
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written ({error})", remedy="choose another place"
        ) from error


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


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write strict JSON, whole or not at all.

    Raises
    ------
    ValueError
        If a number is NaN or infinite.
    """
    text = json.dumps(values, indent=2, allow_nan=False, ensure_ascii=False) + "\n"
    written_whole(path, lambda draft: draft.write_text(text, encoding="utf-8"))
