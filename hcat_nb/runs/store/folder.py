"""What of a run's folder is ours, and how it is replaced: whole or not at all, and nothing else.

New files are written into a hidden folder in the run's own and flushed.  Then
a small file says that they hold, and only then they are moved to their names,
``run.json`` last.  A process that dies before that small file is there leaves
the old run as it was; one that dies after it leaves moves that whoever looks
at the folder next completes.  What each file holds: ``runs/store/saving.py``.
"""

from __future__ import annotations

import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from hcat_nb.errors import StoreError
from hcat_nb.runs.store.atomic import DRAFT, flush, write_json
from hcat_nb.runs.store.digests import parsed, unsealed
from hcat_nb.runs.store.lock import LOCK, owned

RECORD, WEIGHTS, LOGITS, CHECKPOINT = "run.json", "model.safetensors", "logits", "checkpoint"
TABLES = ("scores", "details", "truth", "flags", "history")
OPTIONAL = ("dynamics", "held_out", "seed_scores")
_SWAP = ".swap.json"
_OWN = re.compile(
    rf"{re.escape(RECORD)}|{re.escape(WEIGHTS)}|({'|'.join((*TABLES, *OPTIONAL))})\.parquet"
    rf"|{LOGITS}/epoch_\d+\.parquet"
)
_DRAFT = re.compile(rf"{re.escape(DRAFT)}[0-9a-f]+")
_SEED = re.compile(r"seed_\d+")
_CHECKPOINT_FILE = re.compile(r"checkpoint(\.previous)?\.json|[^.][^/\\]*\.safetensors")


def is_run(folder: Path) -> bool:
    """Say whether ``run.json`` there is one that a run of ours wrote."""
    try:
        record = parsed((folder / RECORD).read_bytes())  # a damaged one is ours too
    except (OSError, ValueError):
        return False
    return isinstance(record, dict) and {"schema_version", "spec", "info"} <= record.keys()


def within(folder: Path, name: str) -> Path:
    """Return ``folder / name``; refuse a link, which leads somewhere else."""
    path = folder / name
    if path.is_symlink():
        raise StoreError(
            f"{path} is a link", "a file or folder that a run wrote", "do not use this folder"
        )
    return path


def nothing_of_a_users(folder: Path) -> bool:
    """Say whether a folder holds nothing, or only what is left of a run that never began."""
    return all(map(is_rest, folder.iterdir()))


@contextmanager
def replaced(folder: Path, *, keep_checkpoint: bool) -> Iterator[Path]:
    """Give a folder to write a run into; what is in it afterwards is the run in ``folder``.

    Of what stood there, only what a run of ours wrote goes; if anything
    fails, it stays.  The caller owns ``folder``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _settle(folder)
    draft = folder / f"{DRAFT}{uuid.uuid4().hex[:8]}"
    draft.mkdir()
    try:
        yield draft
        for file in (*draft.rglob("*"), draft):
            flush(file)
        new = {path.relative_to(draft).as_posix() for path in draft.rglob("*") if path.is_file()}
        gone = sorted(set(_own_files(folder)) - new)
        swap = {"draft": draft.name, "gone": gone, "keep_checkpoint": keep_checkpoint}
        write_json(folder / _SWAP, swap)
    except BaseException:
        if not (folder / _SWAP).exists():
            shutil.rmtree(draft)
        raise
    _settle(folder)


def settle(folder: Path) -> None:
    """Complete what a process that died began to replace in ``folder``."""
    if (folder / _SWAP).exists():
        with owned(folder, "completing a save"):
            _settle(folder)


def remove_run(folder: Path) -> None:
    """Take away what a run wrote into ``folder``, and the folder if nothing else is in it."""
    for name in _own_files(folder):
        (folder / name).unlink(missing_ok=True)
    remove_checkpoint(folder)
    drop_if_empty(folder / LOGITS)
    for path in [one for one in folder.iterdir() if is_rest(one)]:
        _drop(path)
    drop_if_empty(folder)


def remove_checkpoint(folder: Path) -> None:
    """Take away what checkpoints wrote into a run's folder; a link is cut, not followed."""
    place = folder / CHECKPOINT
    if place.is_symlink():
        place.unlink()
    if not place.is_dir():
        return
    for path in list(place.iterdir()):
        if path.is_symlink() or (path.is_file() and _CHECKPOINT_FILE.fullmatch(path.name)):
            path.unlink()
        elif _SEED.fullmatch(path.name):
            remove_run(path)
        elif path.name == LOGITS:
            for file in (*path.glob("epoch_*.parquet"), *path.glob(f"{DRAFT}*")):
                file.unlink()
            drop_if_empty(path)
        elif is_rest(path):
            _drop(path)
    drop_if_empty(place)


def is_rest(path: Path) -> bool:
    """Say whether a path is what a process that died leaves: a lock, or a draft."""
    return path.name in (LOCK, _SWAP) or _DRAFT.fullmatch(path.name) is not None


def _own_files(folder: Path) -> Iterator[str]:
    """Yield the names of a run's files in ``folder``, from there."""
    inside = [folder, folder / LOGITS] if (folder / LOGITS).is_dir() else [folder]
    for place in inside:
        if place.is_symlink():
            continue
        for path in place.iterdir():
            name = path.relative_to(folder).as_posix()
            if _OWN.fullmatch(name):
                yield name


def _settle(folder: Path) -> None:
    """Do what the small file says, as far as it is not done; then take drafts away."""
    if (folder / _SWAP).is_file():
        draft, gone, keep_checkpoint = _read_swap(folder)
        if not keep_checkpoint:
            remove_checkpoint(folder)
        if (draft / RECORD).exists():  # else it was moved already
            (folder / RECORD).unlink(missing_ok=True)
        for name in gone:
            (folder / name).unlink(missing_ok=True)
        drop_if_empty(folder / LOGITS)
        for file in sorted(draft.rglob("*"), key=lambda path: path.name == RECORD):
            name = file.relative_to(draft).as_posix()
            if file.is_dir():
                if (folder / name).is_symlink():
                    (folder / name).unlink()
                (folder / name).mkdir(exist_ok=True)
            elif _OWN.fullmatch(name):
                file.replace(folder / name)
        flush(folder)
        (folder / _SWAP).unlink()
    for path in list(folder.iterdir()):
        if _DRAFT.fullmatch(path.name):
            _drop(path)


def _read_swap(folder: Path) -> tuple[Path, list[str], bool]:
    path = within(folder, _SWAP)
    try:
        swap: dict[str, Any] = unsealed(path.read_bytes())
        draft, gone, keep = swap["draft"], swap["gone"], swap["keep_checkpoint"]
        ours = _DRAFT.fullmatch(draft) and all(_OWN.fullmatch(name) for name in gone)
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{path} cannot be read ({error!r})", "what a save wrote") from error
    if not ours:
        raise StoreError(f"{path} names files that no run writes", "what a save wrote")
    return within(folder, draft), gone, bool(keep)


def _drop(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def drop_if_empty(folder: Path) -> None:
    """Take a folder away if nothing is in it."""
    with suppress(OSError):  # a user's own is in it, or it is not there
        os.rmdir(folder)
