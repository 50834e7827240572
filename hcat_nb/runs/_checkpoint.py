"""What stands in a folder whose run is not finished: which checkpoint, and how far it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hcat_nb.errors import StoreError
from hcat_nb.runs._atomic import DRAFT

__all__ = [
    "CHECKPOINT",
    "INDEX",
    "SCHEMA_VERSION",
    "is_ours",
    "progress_words",
    "read_index",
    "unfinished",
]

CHECKPOINT = "checkpoint"  # a folder in the run's
INDEX = "checkpoint.json"  # in that folder
SCHEMA_VERSION = 1


def read_index(folder: Path) -> dict[str, Any] | None:
    """Return the JSON of the checkpoint below a run's folder; None if there is none.

    Raises
    ------
    StoreError
        If it is damaged, or of a newer schema.
    """
    path = folder / CHECKPOINT / INDEX
    if not path.is_file():
        return None
    try:
        index: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        schema = index["schema_version"]
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{path} cannot be read ({error!r})", "a checkpoint as it was written"
        ) from error
    if schema > SCHEMA_VERSION:
        raise StoreError(
            f"{path} has the schema {schema}", f"at most {SCHEMA_VERSION}", "update hcat_nb"
        )
    return index


def is_ours(folder: Path) -> bool:
    """Whether nothing but checkpoints of a run lies in a folder, begun ones included."""
    inside = [path.name for path in folder.iterdir()]
    place = folder / CHECKPOINT
    if inside != [CHECKPOINT] or not place.is_dir():
        return False
    return (place / INDEX).is_file() or all(path.name.startswith(DRAFT) for path in place.iterdir())


def unfinished(folder: Path) -> dict[str, Any] | None:
    """Return the JSON of a checkpoint that a run can go on from; None if there is none."""
    index = read_index(folder)
    return index if index is not None and index["outcome"] is None else None


def progress_words(index: Mapping[str, Any]) -> str:
    """Return how far the run of a checkpoint is, in words."""
    seeds, epochs = index["spec"]["seeds"], index.get("epochs", index["spec"]["epochs"])
    words = f"epoch {index['epoch']} of {epochs}"
    return words if seeds == 1 else f"seed {index['seed'] + 1} of {seeds}, {words}"
