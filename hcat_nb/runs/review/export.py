"""Mended data as they came: the file or folder of a run again, with what people decided."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hcat_nb.casts import as_path
from hcat_nb.errors import SpecError, StoreError
from hcat_nb.fields import USERS_OWN
from hcat_nb.registry import name_of_path, names_file
from hcat_nb.runs.review.decisions import Decisions
from hcat_nb.runs.review.samples import Samples
from hcat_nb.runs.store.atomic import make_room, writing, written_whole
from hcat_nb.runs.store.saving import read_index
from hcat_nb.spec import RunSpec

if TYPE_CHECKING:
    from hcat_nb.runs.review.applying import Mislabeled
    from hcat_nb.runs.store.record import Record

_LOG = ("id", "column", "old", "new", "reason")


@dataclass(frozen=True, eq=False)
class Mended:
    """Data that decisions change, where they lie: a table, its files, or a folder of class folders.

    ``decisions`` are those of :meth:`Run.apply`, or the file that a run keeps them in; ``options``
    how the data are read.
    """

    source: Any
    decisions: Any
    target: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    mislabeled: Mislabeled = "unlabel"

    def export(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the data with the decisions carried out, in the format that they came in.

        Only cells that were decided on differ; beside the file stands what was changed, in
        ``<file>.changes.csv`` (id, column, old, new, reason).

        Parameters
        ----------
        path : str or Path
            A file of the source's kind; of a table in several files, or of images, a folder.
            Of images also a .csv: instead of copies a list of all of them, with the columns
            path, label (none where an image is left out), old_label and decision.
        overwrite : bool
            Replace what stands there.  The source itself is never replaced.

        Raises
        ------
        SpecError
            If the data have no such column of labels.
        StoreError
            If something stands there, or the format cannot be written.
        DataError
            If decisions do not fit the data.
        """
        out = as_path(path, StoreError)
        log = changes_of(out)
        path = name_of_path(self.source)
        read = _table if names_file(path) else _folder
        listed = read is _folder and out.suffix.lower() == ".csv"
        data = read(path, self.target, self.options)
        data.check(out)
        for place in (out, log):
            if place.exists() and not overwrite:
                raise StoreError(f"{place} exists", remedy="another name, or overwrite=True")
        if out.is_dir() and not log.exists():
            raise StoreError(f"{out} is a folder that no export wrote", remedy="another name")
        make_room(log)
        decisions, changes, rows = self._changes(data)
        draft = out.with_name(f".draft-{out.name}")
        with writing(out, "make room there, or choose another place"):
            _remove(draft)
            try:
                if listed:
                    told = _list(data, decisions, changes, draft)
                else:
                    if not data.kind:
                        draft.mkdir()
                    told = data.write(changes, draft)
                log.unlink(missing_ok=True)  # it tells of what goes now
                if out.is_dir():
                    _remove(out)
                draft.replace(out)
            finally:
                _remove(draft)
            lines = pd.DataFrame([*rows, *(("", "", "", "", one) for one in told)], columns=_LOG)
            written_whole(log, partial(lines.to_csv, index=False, lineterminator="\r\n"))
        return out

    def _changes(
        self, data: _Data
    ) -> tuple[Decisions, dict[int, Any], list[tuple[str, str, str, str, str]]]:
        """Return the decisions, what becomes of which row, and the lines of the log."""
        from hcat_nb.data.files.mend_text import DROP

        decisions = _decisions_on(data, self.decisions)
        samples = decisions.samples
        changes: dict[int, Any] = {}
        rows = []
        for row, decision in decisions.items():
            if decision.action == "keep":
                continue
            new: Any = None
            if decision.action == "relabel":
                new = (decision.code, samples.class_values[decision.code])
            elif decision.action == "drop" or self.mislabeled == "drop":
                new = DROP
            elif self.mislabeled == "keep":
                continue
            changes[row] = new
            old = samples.label(row)
            reason = f"{decision.action}: {decision.note}" if decision.note else decision.action
            text = "" if new is None or new is DROP else str(new[1])
            cell = ("" if new is DROP else data.column, "" if old is None else str(old), text)
            rows.append((str(samples.ids[row]), *cell, reason))
        return decisions, changes, rows


@dataclass(frozen=True, eq=False)
class _Data:
    """What is mended: its ids and labels, and what writes it again."""

    column: str  # "folder" where folders are the labels
    ids: pd.Index
    codes: np.ndarray
    class_values: tuple[Any, ...]
    write: Callable[[dict[int, Any], Path], list[str]]
    kind: str  # suffix that is written; "" is a folder
    sources: tuple[Path, ...]

    def check(self, out: Path) -> None:
        """Raise StoreError if the data cannot be written to ``out``."""
        from hcat_nb.data.files.table_files import kind_of_file

        if self.kind and kind_of_file(out) != self.kind:
            raise StoreError(f"{out} ends in {out.suffix!r}", self.kind)
        inside = out.absolute().resolve()
        for source in self.sources:
            known = source.absolute().resolve()
            if known == inside or known in inside.parents or inside in known.parents:
                raise StoreError(f"{out} is the source, or in it", "another place")


def mended(run: Record, decisions: Any, given: Any, mislabeled: Mislabeled) -> Mended | None:
    """Return what writes the data of a run mended; None if they came as no file."""
    target, options = run.spec.target, dict(run.spec.dataset_options)
    source = given if isinstance(given, (str, os.PathLike)) else run.spec.dataset
    if source in ("file", "folder"):
        source = options.pop("path", USERS_OWN)
    elif not (isinstance(source, os.PathLike) or names_file(source) or "/" in source):
        return None
    return None if source == USERS_OWN else Mended(source, decisions, target, options, mislabeled)


def changes_of(out: Path) -> Path:
    """Return where the list of what was changed stands, beside what was written."""
    return out.with_name(f"{out.name}.changes.csv")


def apply_to_files(
    decisions: str | Path,
    data: str | Path,
    out: str | Path,
    *,
    target: str | None = None,
    mislabeled: Mislabeled = "unlabel",
    overwrite: bool = False,
    **options: Any,
) -> Path:
    """Write data with decisions carried out; see :meth:`Mended.export`.

    ``decisions``: the folder of a run, whose target and options of reading hold here too; the file
    that it keeps decisions in; or a table of them, .csv or .parquet.
    """
    place = as_path(decisions, StoreError)
    folder = place
    if place.is_dir():
        place = place.with_name(f"{place.name}.decisions.json")
    elif place.name.endswith(".decisions.json"):
        folder = place.with_name(place.name.removesuffix(".decisions.json"))
    if not place.is_file():
        raise StoreError(f"there are no decisions at {place}", "a run's, or a table of decisions")
    if (folder / "run.json").is_file():
        spec = RunSpec.recorded(read_index(folder, ("spec", dict))["spec"])
        target = spec.target if target is None else target
        before = {k: v for k, v in spec.dataset_options.items() if k != "path"}
        options = {**before, **options}
    return Mended(data, place, target, options, mislabeled).export(out, overwrite=overwrite)


def _table(path: str, target: str | None, options: Mapping[str, Any]) -> _Data:
    from hcat_nb.data.files.mending import mend_files
    from hcat_nb.data.files.table_files import kind_of_file
    from hcat_nb.data.reading.labels import code_labels
    from hcat_nb.data.sources.file import File

    read, target = File(path=path, **options).read(target)
    names = [*map(str, read.frame.columns)]
    name = _column(target, names)
    coded = code_labels(read.frame.iloc[:, names.index(name)])

    def write(changes: dict[int, Any], draft: Path) -> list[str]:
        how = {key: options.get(key) for key in ("sheet", "encoding")}
        return mend_files(read, name, coded.codes.tolist(), changes, draft, **how)

    kind = "" if len(read.files) > 1 else kind_of_file(read.files[0])
    return _Data(name, read.frame.index, coded.codes, coded.class_values, write, kind, read.files)


def _folder(path: str, _: str | None, options: Mapping[str, Any]) -> _Data:
    from hcat_nb.data.files.mending import mend_images
    from hcat_nb.data.sources.folder import Folder

    root = as_path(path, StoreError)
    files = Folder(path=path, **options).files()
    assert files.ids is not None, "of a folder they are paths"
    labels = pd.Categorical(files.labels)
    names = files.ids.tolist()

    def write(changes: dict[int, Any], draft: Path) -> list[str]:
        mend_images(root, names, files.labels, changes, draft)
        return []

    values = tuple(labels.categories.tolist())
    return _Data("folder", files.ids, labels.codes, values, write, "", (root,))


def _list(data: _Data, decisions: Decisions, changes: dict[int, Any], draft: Path) -> list[str]:
    """Write where each image lies, and what was decided on it."""
    from hcat_nb.data.files.mend_text import DROP

    old = [data.class_values[code] for code in data.codes]
    kept = {row: None if new in (None, DROP) else new[1] for row, new in changes.items()}
    said = {row: decision.action for row, decision in decisions.items()}
    root = data.sources[0].absolute()
    frame = pd.DataFrame(
        {
            "path": [str(root / name) for name in data.ids],
            "label": [kept.get(row, label) for row, label in enumerate(old)],
            "old_label": old,
            "decision": [said.get(row, "") for row in range(len(old))],
        }
    )
    frame.to_csv(draft, index=False, lineterminator="\r\n")
    return []


def _decisions_on(data: _Data, given: Any) -> Decisions:
    """Return decisions as ones on the rows of these data; labels that differ are refused."""
    values = list(data.class_values)
    if isinstance(given, Decisions):  # a class that no row has may be a new label
        values += [one for one in given.samples.class_values if one not in values]
        given = given.frame()
    labels = pd.Categorical.from_codes(data.codes, pd.Index(values))
    samples = Samples(data.ids, labels, spelled=True)
    if isinstance(given, Path) and given.suffix == ".json":
        return Decisions(samples, given)
    decisions = Decisions(samples)
    decisions.add(given)
    return decisions


def _column(target: str | None, columns: Iterable[Any]) -> str:
    from hcat_nb.data.reading.table import nearest_columns

    names = [*map(str, columns)]
    if target is None or str(target) not in names:
        wrong = "which column holds the labels was not said"
        raise SpecError(
            wrong if target is None else f"the table has no column {target!r}",
            "target=, " + nearest_columns(str(target), names),
        )
    return str(target)


def _remove(place: Path) -> None:
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)
