"""What stands in a folder whose run is not finished: which checkpoint, and how far it is."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hcat_nb.errors import StoreError
from hcat_nb.runs.store.digests import check_files, misfit, read_sealed
from hcat_nb.runs.store.folder import CHECKPOINT, LOGITS, is_rest, within

INDEX = "checkpoint.json"  # in the folder of checkpoints
PREVIOUS = "checkpoint.previous.json"  # of the epoch before, should the last one be damaged
SCHEMA_VERSION = 1
_NUMBER, _NONE = (int, float), type(None)
# What an index says in any case, and by which kind it is known.
_KEYS: dict[str, Any] = {
    **dict.fromkeys(("spec", "model", "environment"), dict), "data": {"class values": list},
    **{key: [str] for key in ("objects", "accumulators", "files", "epoch_files")},
    **dict.fromkeys(("seed", "epoch"), int),
    "history": [{
        "epoch": int, **dict.fromkeys(("loss", "accuracy"), (*_NUMBER, _NONE)),
        **dict.fromkeys(("train_seconds", "observe_seconds"), _NUMBER),
    }],
    "seconds": _NUMBER,
    **dict.fromkeys(("outcome", "name"), (str, _NONE)),
    "classes": (list, _NONE),
}  # fmt: skip
# What it may say besides; before the first epoch there is no clock.
_MORE: dict[str, Any] = {"clock": {"*": _NUMBER}, "digests": {"*": str}, "resumed": list}
# What an index may name: plain files that a run writes.
_NAMES = {
    "files": re.compile(r"[^./\\][^/\\]*\.safetensors"),
    "epoch_files": re.compile(r"epoch_\d+\.parquet"),
}


def read_index(folder: Path) -> dict[str, Any] | None:
    """Return the JSON of the checkpoint below a run's folder; None if there is none."""
    place = within(folder, CHECKPOINT)
    # A kill between two moves leaves the one before alone.
    found = next((name for name in (INDEX, PREVIOUS) if within(place, name).is_file()), None)
    return None if found is None else _read(place / found)


def last_good(folder: Path) -> dict[str, Any] | None:
    """Return the JSON of the last whole checkpoint, None without any; warn of a damaged one.

    A resume begins at the epoch after its ``epoch``: ``_resume`` in runs/execution/carry_out.py.
    """
    place = within(folder, CHECKPOINT)
    there = [name for name in (INDEX, PREVIOUS) if within(place, name).is_file()]
    first: StoreError | None = None
    for name in there:
        try:
            index = _whole(_read(place / name), place / name)
            digests = index.get("digests", {})
            logits = [f"{LOGITS}/{one}" for one in index["epoch_files"]]
            check_files(place, digests, [*index["files"], *logits])
        except StoreError as error:
            first = first or error
            continue
        if first is not None:
            warnings.warn(
                f"{first}; the run goes on from the checkpoint before, {progress_words(index)}",
                stacklevel=2,
            )
        return index
    if first is not None:
        raise first
    return None


def _read(path: Path) -> dict[str, Any]:
    index = read_sealed(path, "a checkpoint as it was written", SCHEMA_VERSION)
    _check_names(index, path)
    return index


def _whole(index: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return an index that says all that going on from it needs."""
    there = index.keys() | ({"clock"} if index.get("epoch") else set())
    more = {key: kind for key, kind in _MORE.items() if key in there}
    if wrong := misfit(index, _KEYS | more):
        raise StoreError(
            f"{path} cannot be read (its {wrong} is missing or strange)",
            "a checkpoint as it was written",
            "take it from a copy, or start the run again (overwrite)",
        )
    return index


def _check_names(index: Mapping[str, Any], path: Path) -> None:
    """Refuse names by which an index would lead to files that are not its own."""
    within(path.parent, LOGITS)
    for what, known in _NAMES.items():
        place = path.parent / LOGITS if what == "epoch_files" else path.parent
        names = index.get(what, [])
        for name in names if isinstance(names, list) else [names]:
            if not (isinstance(name, str) and known.fullmatch(name)):
                raise StoreError(
                    f"{path} names the file {name!r}",
                    "the names that a run gives to its files",
                    "do not use this folder: it was changed by somebody",
                )
            within(place, name)


def is_ours(folder: Path) -> bool:
    """Whether nothing but checkpoints of a run lies in a folder, begun ones included."""
    place = folder / CHECKPOINT
    others = [path for path in folder.iterdir() if path != place]
    if not place.is_dir() or place.is_symlink() or not all(map(is_rest, others)):
        return False
    return (place / INDEX).is_file() or all(map(is_rest, place.iterdir()))


def unfinished(folder: Path) -> dict[str, Any] | None:
    """Return the JSON of a checkpoint that a run can go on from; None if there is none."""
    index = read_index(folder)
    return index if index is not None and index.get("outcome", ...) is None else None


def progress_words(index: Mapping[str, Any]) -> str:
    """Return how far the run of a checkpoint is, in words."""
    if not isinstance(spec := index.get("spec"), dict) or not {"epoch", "seed"} <= index.keys():
        return "nobody can tell how far"  # what lacks is told to who resumes
    seeds, epochs = spec.get("seeds", 1), index.get("epochs", spec.get("epochs"))
    words = f"epoch {index['epoch']} of {epochs}"
    return words if seeds == 1 else f"seed {index['seed'] + 1} of {seeds}, {words}"
