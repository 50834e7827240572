"""A run's folder: open formats, nothing pickled, written whole or not at all.

``run.json`` (specification, versions, timings, metrics, ``schema_version``),
``scores.parquet``, ``details.parquet``, ``truth.parquet``, ``flags.parquet``,
``history.parquet``, ``dynamics.parquet`` where kept, ``seed_scores.parquet``
where there are several seeds, ``held_out.parquet`` where folds were trained,
``model.safetensors``;
``logits/epoch_0001.parquet ...`` where all logits were kept.  While a run is
trained, its folder holds ``checkpoint/`` (see :mod:`hcat_nb.runs.store.journal`).
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hcat_nb.casts import as_path
from hcat_nb.errors import HcatError, StoreError, some
from hcat_nb.runs.store.atomic import writing
from hcat_nb.runs.store.checkpoint import is_ours, progress_words, unfinished
from hcat_nb.runs.store.digests import check_files, file_digest, misfit, read_sealed, sealed
from hcat_nb.runs.store.fingerprint import data_fingerprint
from hcat_nb.runs.store.folder import (
    LOGITS,
    OPTIONAL,
    RECORD,
    TABLES,
    WEIGHTS,
    is_run,
    nothing_of_a_users,
    replaced,
    settle,
)
from hcat_nb.runs.store.lock import owned
from hcat_nb.runs.store.record import Record
from hcat_nb.spec import RunSpec

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.observation.stored_logits import StoredLogits

SCHEMA_VERSION = 1
_NO_DIGESTS = "read from a folder of an earlier version, which holds no digests of its files"
# What ``info`` holds, and what it may hold besides: whoever looks at a run relies on it.
_INFO: dict[str, Any] = {
    "dataset": {"name": str, "class_values": list, "notes": list},
    "methods": {"*": {"title": str}},
    "model": str,
    "notes": list,
    "outcome": str,
}
_MORE: dict[str, Any] = {
    "check": {"state": str, "sentence": str},
    "judges": {"*": {"title": str}},
    "kind": str,
    "parts": {"*": list},
    "proposals": {"reason": str},
    "rescored": list,
    "skipped": dict,
    "versions": dict,
    "model_seeds": list,
}
_CLASS_COLUMNS = {
    "details": ("label", "predicted", "suggested"),
    "truth": ("original_label", "observed_label"),
}


def folder_path(folder: Any) -> Path:
    """Return the absolute path of a run's folder."""
    if not isinstance(folder, (str, os.PathLike)):
        raise StoreError(f"the folder of a run is {folder!r}", "text or a path")
    return as_path(folder, StoreError).resolve()


def check_folder(folder: str | Path, *, overwrite: bool = False) -> Path:
    """Return ``folder`` as a path if a run may be written there.

    A user's own files beside those of a run stay whatever is written.  Refused: what is no run of
    ours, and a run without ``overwrite``.
    """
    path = folder_path(folder)
    place = next(one for one in (path, *path.parents) if one.exists())
    below = place != path
    if (below and not place.is_dir()) or (place.is_dir() and not os.access(place, os.W_OK)):
        raise StoreError(f"nothing can be written below {place}", remedy="choose another folder")
    settle(path)
    if not path.exists() or (path.is_dir() and nothing_of_a_users(path)):
        return path
    index = unfinished(path)
    if not overwrite and index is not None and (index.get("epoch", 1) or index.get("seed")):
        raise StoreError(
            f"{path} holds a run that is not finished ({progress_words(index)})",
            remedy="`hcat resume` it, choose another folder, or overwrite it",
        )
    if (path / RECORD).exists():
        if not is_run(path):
            raise StoreError(
                f"{path / RECORD} was not written by a run, or is damaged",
                "a folder of a run",
                "choose another folder, or move that file away",
            )
        if not overwrite:
            raise StoreError(
                f"{path} holds a run already", remedy="choose another folder, or overwrite it"
            )
    elif index is None and not (path.is_dir() and is_ours(path)):
        raise StoreError(f"{path} exists and is no run", remedy="choose another folder")
    return path


def save_record(
    run: Record, folder: str | Path, metrics: pd.DataFrame | None, *, overwrite: bool = False
) -> Path:
    """Write ``run`` into ``folder``, which is made with its parents; return that.

    Everything is written into a hidden folder in it, flushed to disk, and then
    moved to its names: whoever looks sees the whole run or none.  Of what stood
    there, only what a run wrote goes.  ``metrics`` are what ``evaluate`` gives.
    """
    path = check_folder(folder, overwrite=overwrite)
    with owned(path, "saving a run"):
        check_folder(path, overwrite=overwrite)  # nobody came between
        write_record(run, path, metrics, keep_checkpoint=False)
    return path


def write_record(
    run: Record, path: Path, metrics: pd.DataFrame | None, *, keep_checkpoint: bool
) -> None:
    """Write ``run`` into a folder that the caller owns, in place of what a run wrote there."""
    if run.dataset is not None and "fingerprint" not in run.info["dataset"]:
        # Who loads the run can make the data again, and be sure that they are the same.
        run.info["dataset"]["fingerprint"] = data_fingerprint(run.dataset)
    with (
        writing(f"the run in {path}", "make room there and resume, or save it again"),
        replaced(path, keep_checkpoint=keep_checkpoint) as draft,
    ):
        _write(run, draft, metrics)
    run.folder = path


def read_index(folder: Path, *kinds: tuple[str, type]) -> dict[str, Any]:
    """Return what the ``run.json`` of a folder holds; ``kinds``: keys, and the types of these."""
    file = folder / RECORD
    return read_sealed(file, "a file that Run.save wrote", SCHEMA_VERSION, None, kinds)


def load_record(folder: str | Path) -> Record:
    """Read a run that :func:`save_record` wrote; its ``dataset`` is None."""
    from safetensors import SafetensorError

    path = folder_path(folder)
    settle(path)
    if not (path / RECORD).is_file():
        if (index := unfinished(path)) is not None:
            raise StoreError(
                f"{path} holds a run that is not finished ({progress_words(index)})",
                remedy="`hcat resume` it",
            )
        raise StoreError(f"{path} holds no run", "a folder with a run.json")
    record = read_index(path, ("spec", dict), ("info", dict), ("timings", dict))
    more = {key: kind for key, kind in _MORE.items() if record["info"].get(key) is not None}
    seconds = {key: value for key, value in record["timings"].items() if value is not None}
    if strange := misfit(record["info"], _INFO | more) or misfit(seconds, {"*": (int, float)}):
        raise StoreError(f"{path / RECORD} has a strange {strange}", "what a run writes")
    digests: dict[str, str] = record.get("files", {})
    if not isinstance(digests, dict):
        raise StoreError(f"{path / RECORD} names its files as {digests!r}", "names and digests")
    needed = {*(f"{table}.parquet" for table in TABLES), WEIGHTS}
    foreign = [name for name in digests if "/" in name and not _of_logits(name)]
    if digests and (odd := foreign + sorted(needed - digests.keys())):
        raise StoreError(
            f"{path / RECORD} names other files than a run writes: {some(map(repr, odd))}",
            remedy="do not use this folder, or take run.json from a copy",
        )
    # Kept logits are checked when they are read: they may be large.
    check_files(path, digests, needed | {name for name in digests if "/" not in name})
    try:
        if not digests:
            record["info"]["notes"] = [*record["info"].get("notes", ()), _NO_DIGESTS]
        return _loaded(path, record, digests)
    except HcatError:
        raise
    except (
        *(KeyError, TypeError, ValueError, AttributeError, IndexError, OSError),
        SafetensorError,
    ) as error:
        raise StoreError(
            f"{path} cannot be read ({error!r})",
            "the files that Run.save wrote",
            "take them from a copy",
        ) from error


def _loaded(path: Path, record: dict[str, Any], digests: Mapping[str, str]) -> Record:
    """Return the run of files that are there; of strange ones, raise whatever comes."""
    from safetensors.torch import load_file

    tables = {table: read_table(path / f"{table}.parquet") for table in TABLES}
    # Parquet forgets the rows of a table without columns.
    flags = tables["flags"] if tables["flags"].columns.size else tables["scores"][[]]
    _restore_classes(tables, record["info"]["dataset"]["class_values"])
    optional = {
        table: read_table(file)
        for table in OPTIONAL
        if (file := path / f"{table}.parquet").is_file()
    }
    return Record(
        spec=RunSpec.recorded(record["spec"]),
        scores=tables["scores"],
        details=tables["details"],
        truth=tables["truth"],
        flags=flags,
        history=tables["history"],
        timings=record["timings"],
        info=record["info"],
        dynamics=optional.get("dynamics"),
        held_out=optional.get("held_out"),
        seed_scores=optional.get("seed_scores"),
        weights=load_file(path / WEIGHTS),
        logits=_logits(path, len(tables["scores"]), digests),
        folder=path,
    )


def saved_metrics(folder: str | Path) -> pd.DataFrame:
    """Return what :meth:`Run.evaluate` gave when the run was saved, without doing it again."""
    import pandas as pd

    path = folder_path(folder)
    if not (path / RECORD).is_file():
        raise StoreError(f"{path} holds no run", "a folder with a run.json")
    frame = pd.DataFrame(read_index(path, ("metrics", list))["metrics"])
    empty = [name for name in frame.columns if frame[name].isna().all()]
    return frame.astype(dict.fromkeys(empty, "float64"))


def _write(run: Record, folder: Path, metrics: pd.DataFrame | None) -> None:
    from safetensors.torch import save

    for table in TABLES:
        getattr(run, table).to_parquet(folder / f"{table}.parquet")
    for table in OPTIONAL:
        if (frame := getattr(run, table)) is not None:
            frame.to_parquet(folder / f"{table}.parquet")
    if run.logits is not None:
        run.logits.copy_to(folder / LOGITS)
    (folder / WEIGHTS).write_bytes(save(run.weights))
    record = {
        "schema_version": SCHEMA_VERSION,
        "spec": run.spec.to_dict(),
        "info": {**run.info, "notes": [one for one in run.info["notes"] if one != _NO_DIGESTS]},
        "timings": run.timings,
        "metrics": [] if metrics is None else _records(metrics),
    }
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    record["files"] = {file.relative_to(folder).as_posix(): file_digest(file) for file in files}
    (folder / RECORD).write_text(sealed(record), encoding="utf-8")


def _logits(folder: Path, n: int, digests: Mapping[str, str]) -> StoredLogits | None:
    from hcat_nb.observation.stored_logits import StoredLogits

    names = sorted(name for name in digests if name.startswith(f"{LOGITS}/"))
    missing = [name for name in names if not (folder / name).is_file()]
    check_files(folder, digests, missing)
    if not (folder / LOGITS).is_dir():
        return None

    def check(file: Path) -> None:
        check_files(folder, digests, [f"{LOGITS}/{file.name}"])

    return StoredLogits(folder / LOGITS, n, check)


def _of_logits(name: str) -> bool:
    folder, _, file = name.partition("/")
    return folder == LOGITS and re.fullmatch(r"\w+\.parquet", file) is not None


def read_table(path: Path) -> pd.DataFrame:
    """Read a table that we wrote; StoreError if it is none."""
    import pandas as pd

    try:
        return pd.read_parquet(path)
    except (OSError, ValueError) as error:  # pyarrow's ArrowInvalid is a ValueError
        raise StoreError(f"{path} cannot be read ({error})", "a table as it was saved") from error


def _restore_classes(tables: dict[str, pd.DataFrame], class_values: list[Any]) -> None:
    """Make class columns categorical again: Parquet keeps only categories of text."""
    import pandas as pd

    categories = pd.Index(class_values)
    for table, columns in _CLASS_COLUMNS.items():
        for column in columns:
            values = tables[table][column]
            tables[table][column] = pd.Categorical(values, categories=categories)


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as strict JSON values: NaN becomes null."""
    rows: list[dict[str, Any]] = frame.to_dict(orient="records")  # type: ignore[assignment]
    return [
        {
            key: None if isinstance(value, float) and not math.isfinite(value) else value
            for key, value in row.items()
        }
        for row in rows
    ]
