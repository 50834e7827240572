"""Training dynamics in the fields of Dataset Cartography: JSON lines, or Parquet.

Swayamdipta et al. 2020 (arXiv 2009.10795) log one file an epoch,
``dynamics_epoch_{k}.jsonl``, with one object a line: ``guid`` (the sample's
id), ``logits_epoch_{k}`` (a list of C numbers) and ``gold`` (the label, as a
position in that list; in Parquet it may be absent).  Lines stand in the order
of training, which differs from epoch to epoch, so samples are matched and
ordered by id.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hcat_nb.casts import as_path
from hcat_nb.errors import DataError, MissingDataError

_NAMED = re.compile(r"dynamics_epoch_(\d+)\.(jsonl|parquet)")
_PATTERN = "dynamics_epoch_*.jsonl"
_PATTERNS = (_PATTERN, "dynamics_epoch_*.parquet")
_LARGEST = float(np.finfo(np.float32).max)
_FOLDER = "training_dynamics"  # where the authors' trainer puts them, below the model


@dataclass(frozen=True, eq=False)
class TrainingLog:
    """What the files hold, samples in the order of their ids.

    ``ids``: every ``guid`` of any epoch, ascending; ``gold`` (n,) object: label of each sample, as
    it stands in the files; ``logits`` (n_epochs, n, C) float32: NaN where an epoch lacks a sample;
    ``epochs``: the files' own numbers of the epochs.
    """

    ids: pd.Index
    gold: np.ndarray
    logits: np.ndarray
    epochs: range


@dataclass(frozen=True, eq=False)
class _Epoch:
    """One file: position of each id, gold labels and logits in the file's order."""

    places: dict[Any, int]
    gold: list[Any]
    logits: np.ndarray


def read_training_log(source: str | os.PathLike[str] | Sequence[Any]) -> TrainingLog:
    """Read ``dynamics_epoch_{k}.jsonl`` or ``.parquet``: their folder, that above it, or files."""
    files = _files(source)
    parts = [_read(path, epoch) for epoch, path in sorted(files.items())]
    widths = {part.logits.shape[1]: path for part, path in zip(parts, files.values(), strict=True)}
    if len(widths) > 1:
        raise DataError(f"the files hold {sorted(widths)} logits a sample", "one number of classes")
    known: dict[Any, Any] = {}
    for (epoch, path), part in zip(sorted(files.items()), parts, strict=True):
        for guid, place in part.places.items():
            if known.setdefault(guid, part.gold[place]) != part.gold[place]:
                raise DataError(
                    f"guid {guid!r} has the gold label {part.gold[place]!r} in epoch {epoch} "
                    f"({path.name}) and {known[guid]!r} before",
                    "one label a sample",
                )
    ids = _sorted(known)
    row = {guid: position for position, guid in enumerate(ids)}
    logits = np.full((len(parts), len(ids), parts[0].logits.shape[1]), np.nan, np.float32)
    for epoch, part in enumerate(parts):
        logits[epoch, [row[guid] for guid in part.places]] = part.logits
    gold = np.empty(len(ids), dtype=object)
    gold[:] = [known[guid] for guid in ids]
    return TrainingLog(pd.Index(ids), gold, logits, range(min(files), max(files) + 1))


def _files(source: Any) -> dict[int, Path]:
    """Return the files by epoch, ascending."""
    if isinstance(source, (str, os.PathLike)):
        path = as_path(source)
        if not path.exists():
            raise MissingDataError(f"{path} does not exist", f"a folder of {_PATTERN}")
        paths = [path]
        if path.is_dir():
            here, below = (
                [one for pattern in _PATTERNS for one in folder.glob(pattern)]
                for folder in (path, path / _FOLDER)
            )
            paths = here or below
            if not paths:
                raise MissingDataError(f"{path} holds no training dynamics", f"files {_PATTERN}")
    elif isinstance(source, Sequence) and source:
        paths = [as_path(one) for one in source]
    else:
        raise DataError(f"log_file is {source!r}", f"a folder of {_PATTERN}, or such files")
    files: dict[int, Path] = {}
    for path in paths:
        named = _NAMED.fullmatch(path.name)
        if named is None:
            raise DataError(f"the file {path.name!r} names no epoch", _PATTERN)
        if not path.is_file():
            raise MissingDataError(f"{path} does not exist", "a file of training dynamics")
        if int(named[1]) in files:
            raise DataError(f"epoch {named[1]} is given twice", "one file an epoch")
        files[int(named[1])] = path
    absent = sorted(set(range(min(files), max(files))) - set(files))
    if absent:
        raise DataError(
            f"there are epochs {min(files)} to {max(files)}, but not epoch "
            + ", ".join(map(str, absent)),
            "a file for each epoch",
        )
    return dict(sorted(files.items()))


def _read(path: Path, epoch: int) -> _Epoch:
    field = f"logits_epoch_{epoch}"
    places: dict[Any, int] = {}
    gold: list[Any] = []
    logits: list[list[float]] = []
    for where, entry in _entries(path):
        guid, label, values = _parse(entry, field, where)
        if guid in places:
            raise DataError(f"{where}: guid {guid!r} is there twice", "once an epoch")
        if logits and len(values) != len(logits[0]):
            raise DataError(f"{where}: {len(values)} logits, {len(logits[0])} in the lines before")
        places[guid] = len(places)
        gold.append(label)
        logits.append(values)
    if not logits:
        raise DataError(f"{path.name} is empty", "one sample a line")
    return _Epoch(places, gold, np.array(logits, dtype=np.float32))


def _entries(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield the samples of a file, and where each stands."""
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        try:
            rows = pq.read_table(path).to_pylist()
        except (OSError, ValueError) as error:  # pyarrow's ArrowInvalid is a ValueError
            raise DataError(f"{path.name} cannot be read ({error})", "Parquet") from error
        for number, row in enumerate(rows, start=1):
            yield f"{path.name}, row {number}", {"gold": None, **row}
        return
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            where = f"{path.name}, line {number}"
            try:
                if line.strip():
                    yield where, json.loads(line)
            except json.JSONDecodeError as error:
                raise DataError(f"{where} is no JSON ({error})", "one object a line") from error


def _parse(entry: Any, field: str, where: str) -> tuple[Any, Any, list[float]]:
    wanted = ("guid", field, "gold")
    if not isinstance(entry, dict) or any(key not in entry for key in wanted):
        found = ", ".join(entry) if isinstance(entry, dict) else type(entry).__name__
        raise DataError(f"{where} holds {found}", ", ".join(wanted))
    guid, values = entry["guid"], entry[field]
    if isinstance(guid, bool) or not isinstance(guid, (int, str)):
        raise DataError(f"{where}: guid is {guid!r}", "a whole number or text")
    if not (isinstance(values, list) and len(values) > 1 and all(map(_is_finite, values))):
        raise DataError(f"{where}: {field} is {values!r}", "a finite number for each class")
    return guid, entry["gold"], values


def _is_finite(value: Any) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and abs(value) <= _LARGEST


def _sorted(ids: dict[Any, Any]) -> list[Any]:
    kinds = {type(guid) for guid in ids}
    if len(kinds) > 1:
        some = [next(guid for guid in ids if type(guid) is kind) for kind in (int, str)]
        raise DataError(
            f"some guids are numbers and some are text ({some[0]!r}, {some[1]!r})", "one"
        )
    return sorted(ids)
