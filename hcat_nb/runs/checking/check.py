"""Looks at data before anything is trained: what was read, and what is wrong with it."""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hcat_nb.casts import as_path
from hcat_nb.checks.alone import ROWS, order_finding
from hcat_nb.checks.before_training import excluded
from hcat_nb.checks.classes import class_findings
from hcat_nb.checks.columns import missing_words
from hcat_nb.checks.finding import SEVERE, Finding
from hcat_nb.checks.page import Check
from hcat_nb.checks.pictures import file_findings, file_table
from hcat_nb.checks.profile import profiles
from hcat_nb.checks.raw import Raw, coded, feature_frame, raw_table
from hcat_nb.checks.rows import (
    MOST_COMPARED,
    near_findings,
    shape_of,
    shared_images,
    shared_rows,
    twin_findings,
)
from hcat_nb.checks.table import WIDEST, table_findings
from hcat_nb.checks.thinning import thinned
from hcat_nb.data.duplicates import row_keys
from hcat_nb.data.files.array_file import names_array_file
from hcat_nb.data.placement import free_host_memory
from hcat_nb.data.reading.column_kinds import read_column
from hcat_nb.data.table_options import TableOptions
from hcat_nb.errors import DataError, HcatError, MissingDataError, UnknownNameError, some
from hcat_nb.fields import USERS_OWN
from hcat_nb.registry import ARRAY_SUFFIX, name_of_path, names_file, names_folder
from hcat_nb.runs.checking.mend import mend
from hcat_nb.runs.execution.inputs import load_dataset, make_spec
from hcat_nb.spec import RunSpec

if TYPE_CHECKING:
    from hcat_nb.checks.page import Check
    from hcat_nb.data.dataset import LabelledDataset

_SHARE = 0.2  # of the free memory, that a file may take to be read whole
Facts = tuple[dict[str, Any], list[Finding], list[str]]  # what was read, findings, what did not run
_CLASSES = 12  # that are listed


def check(
    data: Any = None,
    labels: Any = None,
    *,
    name: str | None = None,
    classes: Sequence[Any] | None = None,
    truth: Any = None,
    test: Any = None,
    fix: str | os.PathLike[str] | None = None,
    spec: RunSpec | None = None,
    **options: Any,
) -> Check:
    """Read data as a run would, train nothing, and return what is wrong with them.

    Parameters
    ----------
    data, labels, name, classes, truth, spec
        As of :func:`hcat_nb.characterize`; also an .npz file in MedMNIST's form.
    test : object, optional
        A test set of the same kind (a path, a frame, a pair): samples that
        are in both are reported.
    fix : path, optional
        New file (.csv, .tsv, .parquet) for the table with the safe repairs
        made.  ``<fix>.plan`` beside it has a line for each further repair; the
        next call makes those whose line begins with ``yes``.  What is returned
        is the check of the new file.
    **options
        Fields of :class:`RunSpec` that say how data are read, and options of
        :func:`hcat_nb.load` (``drop=``, ``missing=``, ...).

    Returns
    -------
    Check
        ``print`` it, or show it in a notebook; ``.findings``, ``.severe``,
        ``.to_dict()``.

    Raises
    ------
    HcatError
        If the data cannot be read at all.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"row": range(60), "copy": ["a", "b"] * 30, "y": [0, 1] * 30})
    >>> print(check(frame, target="y").severe[0].evidence)
    'copy' (one value a class) alone tells the class; the next column 0.50
    """
    fields = {item.name for item in dataclasses.fields(RunSpec)}
    given = {key: value for key, value in options.items() if key in fields}
    own = {key: value for key, value in options.items() if key not in fields}
    if own:
        given["dataset_options"] = {**given.get("dataset_options", {}), **own}
    chosen = make_spec(data, None, spec, given, truth)
    place = chosen.dataset if data is None else data
    if isinstance(place, (str, os.PathLike)) and Path(place).suffix.lower() == ".npz":
        more = {**chosen.dataset_options, "path": os.fspath(place)}
        chosen = chosen.replace(dataset="medmnist", dataset_options=more)
        data = place = "medmnist"
    looking = _Looking(chosen, name, classes, truth)
    if fix is not None:
        return looking.mended(data, labels, as_path(fix), test)
    beside = labels is not None or not (truth is None or isinstance(truth, str))
    how = TableOptions.among(chosen.dataset_options)
    with _in_part(None if beside else place, how) as (part, step), _in_part(test, how) as held:
        page = looking.page(data if step == 1 else part, labels, held[0], (step, held[1]))
    if step == 1:
        return page
    found = (
        dataclasses.replace(one, evidence=one.evidence.replace(part, str(place)))
        for one in page.findings
    )
    done = (note.replace(part, str(place)) for note in page.done)
    return dataclasses.replace(page, findings=tuple(found), done=tuple(done))


@contextmanager
def _in_part(data: Any, options: TableOptions) -> Iterator[tuple[Any, int]]:
    """Give data, of a file that is larger than memory each k-th row as a path, and k; else 1."""
    is_path = isinstance(data, (str, os.PathLike)) and names_file(name_of_path(data))
    if not is_path or names_array_file(data):
        yield data, 1
        return
    with thinned(as_path(data), max(1, int(_SHARE * free_host_memory())), options) as (part, step):
        try:
            yield (data, 1) if step == 1 else (part, step)
        except HcatError as error:
            if step == 1 or part not in error.wrong:
                raise
            wrong = error.wrong.replace(part, f"{data} (1 of {step:,} rows of it)")
            raise type(error)(wrong, error.expected, error.remedy) from error


@dataclasses.dataclass(frozen=True, eq=False)
class _Looking:
    """How data are read."""

    spec: RunSpec
    name: str | None
    classes: Sequence[Any] | None
    truth: Any

    def page(self, data: Any, labels: Any, test: Any, steps: tuple[int, int] = (1, 1)) -> Check:
        """Return the page; ``steps``: of how many rows ``data`` and ``test`` hold one each."""
        raw = self.raw(data, labels)
        dataset, findings = self.load(data, labels, raw)
        if dataset is not None and (raw is None or dataset.modality == "image"):
            raw, (facts, found, skipped) = None, of_images(dataset, self.folder(data))
        else:
            assert raw is not None
            facts, found, skipped = of_table(raw, dataset, self.classes)
            if dataset is None:
                skipped.append("what a run does to the data: it stops, as told above")
        findings = [*findings, *found, *self.shared(raw, dataset, test, skipped)]
        for whose, step in zip(("", " of the test set"), steps, strict=True):
            if step > 1:
                told = f"too large for memory, so 1 of {step:,} rows was read"
                skipped.append(f"all rows{whose}: {told}")
        named = "data" if self.spec.dataset == USERS_OWN else Path(self.spec.dataset).stem
        name = self.name or (named if dataset is None else dataset.name)
        done = () if dataset is None else dataset.notes
        return Check(name, facts, done, tuple(findings), tuple(skipped))

    def raw(self, data: Any, labels: Any) -> Raw | None:
        """Return the table as it came, without what the run excludes."""
        raw = raw_table(data, labels, self.spec, self.truth)
        if raw is None or not self.spec.exclude:
            return raw
        names = excluded(raw.frame, raw.labels, raw.text, self.spec)
        left = raw.frame.drop(columns=[name for name in names if name in raw.frame])
        return dataclasses.replace(raw, frame=left)

    def load(
        self, data: Any, labels: Any, raw: Raw | None
    ) -> tuple[LabelledDataset | None, list[Finding]]:
        """Return what a run reads, of a table None if it stops; and why it does."""
        given, spec = (self.classes, self.truth), self.of(data)
        try:
            return load_dataset(data, labels, self.name, spec, *given), []
        except (UnknownNameError, MissingDataError):
            raise
        except HcatError as error:
            errors = ([] if raw is None else _refused(raw, self.spec)) or [error]
            more = f"; and {len(errors) - 1} columns more" if len(errors) > 1 else ""
            remedy = some(dict.fromkeys(one.remedy for one in errors if one.remedy), 3)
            stop = Finding("stop", SEVERE, f"a run stops here: {errors[0].wrong}{more}", remedy)
            if raw is not None:
                return None, [stop]
            kept = spec.replace(on_bad_row="keep", on_missing_label="keep")
            return load_dataset(data, labels, self.name, kept, *given), [stop]

    def of(self, data: Any) -> RunSpec:
        """Return how ``data`` are read: a path is read itself, not what the specification names."""
        named = isinstance(data, (str, os.PathLike))
        return self.spec.replace(dataset=name_of_path(data)) if named else self.spec

    def shared(
        self, raw: Raw | None, dataset: LabelledDataset | None, test: Any, skipped: list[str]
    ) -> list[Finding]:
        """Return the samples of a test set, or of the other parts, that are in these data."""
        if test is not None:
            pair = test if isinstance(test, tuple) and len(test) == 2 else (test, None)
            if raw is None:
                assert dataset is not None
                if pair[1] is None and str(pair[0]).endswith(ARRAY_SUFFIX):
                    raise DataError(
                        f"the test set {pair[0]} is an array without its labels",
                        "features and labels",
                        "in Python: hcat.check(..., test=(features, labels))",
                    )
                spec = self.of(pair[0]).replace(on_bad_row="keep", subset=None, exclude=())
                other = load_dataset(pair[0], pair[1], None, spec, self.classes, self.truth)
                return shared_images(dataset, other)
            table = self.raw(*pair)
            if table is None:
                raise DataError("the test set is no table with the target, as the data are", "one")
            return shared_rows(raw, table)
        if dataset is None or self.spec.dataset != "medmnist":
            skipped.append("duplicates between training and test set: no test set was given")
            return []
        found = []
        options = dict(self.spec.dataset_options)
        for part in {"train", "val", "test"} - {options.get("split", "train")}:
            spec = self.spec.replace(dataset_options={**options, "split": part}, subset=None)
            try:
                other = load_dataset(None, None, None, spec, self.classes)
            except DataError as error:
                skipped.append(f"duplicates in the part {part!r}: {error.wrong}")
                continue
            found += shared_images(dataset, other, f"the part {part!r}")
        return found

    def folder(self, data: Any) -> Path | None:
        """Return where image files lie; None if they are in no folder."""
        place = self.spec.dataset if data is None else data
        if not isinstance(place, (str, os.PathLike)):
            return None
        if place == "folder":
            place = self.spec.dataset_options.get("path", "")
        return as_path(place) if names_folder(name_of_path(place)) else None

    def mended(self, data: Any, labels: Any, file: Path, test: Any) -> Check:
        """Return the page of the table that is mended in a file."""
        raw = self.raw(data, labels)
        if raw is None:
            raise DataError("only a table can be mended in a file", "a file or frame, and target=")
        given = dict(self.spec.dataset_options)
        encoding = given.get("encoding", "utf-8")
        mended, told = mend(raw, self.classes, file, encoding)
        # How the file is written, and what stood for a missing cell, is settled in the new one.
        of_frames = (
            *("drop", "categorical", "impute", "min_frequency", "max_categories", "text"),
            *("analyzer", "max_features", "ngram_range", "missing"),
        )
        left = {key: value for key, value in given.items() if key in of_frames}
        for key in left.keys() & {"drop", "categorical"}:
            names = [left[key]] if isinstance(left[key], str) else left[key]
            left[key] = [one for one in names if one in mended]
        read: Any = mended
        if raw.from_file:  # there a column of texts may have become one of numbers
            read, kind = str(file), file.suffix.lower()
            form = {"sep": "\t" if kind == ".tsv" else ",", "quote": '"', "header": "first"}
            left |= {} if kind == ".parquet" else {**form, "encoding": encoding}
        spec = self.spec.replace(dataset=str(file) if raw.from_file else USERS_OWN)
        spec = spec.replace(dataset_options=left, target=raw.target)
        again = dataclasses.replace(self, spec=spec, name=self.name or file.stem)
        page = again.page(read, None if raw.target else raw.labels, test)
        return dataclasses.replace(page, done=(*told, *page.done))


def _refused(raw: Raw, spec: RunSpec) -> list[HcatError]:
    """Return why a run refuses columns, each of them; it would name the first alone."""
    options = TableOptions.among(spec.dataset_options)
    errors: list[HcatError] = []
    for name in raw.frame.columns:
        try:
            if name != raw.text:
                read_column(raw.frame[name], name, options)
        except DataError as error:
            errors.append(error)
    return errors


def of_table(
    raw: Raw, dataset: LabelledDataset | None, classes: Sequence[Any] | None = None
) -> Facts:
    """Return what is told of a table; ``dataset``: as a run reads it, None if it stops."""
    frame, (codes, names) = raw.frame, coded(raw.labels, classes)
    if len(codes) != len(frame):
        raise DataError(f"{len(frame)} rows of features, but {len(codes)} labels", "one a row")
    read: dict[str, np.ndarray] = {}
    skipped = []
    if dataset is not None and len(dataset) == len(frame):
        known = dataset.feature_names or tuple(map(str, range(dataset.sample_shape[0])))
        read = {name: dataset.features[:, at].numpy() for at, name in enumerate(known)}
        for at in (*dataset.levels, *dataset.words):
            del read[known[at]]
    else:
        skipped.append("values that collapse in float32: a run does not read all rows as they are")
    if frame.shape[1] > WIDEST:
        skipped.append(f"columns after the first {WIDEST:,}")
    if len(frame) > ROWS:
        skipped.append(f"columns that give the label away: on {ROWS:,} rows, drawn at random")
    columns = profiles(frame.iloc[:, :WIDEST])
    counts = np.bincount(codes[codes >= 0], minlength=len(names)).tolist()
    found = class_findings(names, counts)
    found += table_findings(frame, columns, codes, names, text=raw.text, read=read)
    kinds = Counter("text" if one.name == raw.text else one.kind for one in columns)
    missing = {one.name: f"{one.n_missing:,}" for one in columns if one.n_missing}
    for one in columns:
        missing |= {f"{one.name} {word!r}": f"{n:,}" for word, n in missing_words(one).items()}
    facts: dict[str, Any] = {
        "rows": f"{len(frame):,}",
        "columns": ", ".join(f"{count:,} {kind}" for kind, count in kinds.items()),
        "missing cells, and words that may say so": missing,
    }
    if raw.text is not None:
        size = frame[raw.text].fillna("").astype(str).str.len()
        facts["characters of a text"] = (
            f"{size.min():,} to {size.max():,}, median {size.median():,.0f}"
        )
    return facts | _classes(names, counts, codes) | _memory(dataset), found, skipped


def of_images(dataset: LabelledDataset, folder: Path | None) -> Facts:
    """Return what is told of data that are no table as they come; ``folder``: of their files."""
    if dataset.modality == "table":
        frame = feature_frame(dataset)
        raw = Raw(frame, dataset.label_values(), dataset.text, frame)
        return of_table(raw, dataset)
    labels, names = dataset.labels.numpy(), dataset.class_values
    counts = dataset.class_counts.tolist()
    found, skipped = class_findings(names, counts), []
    facts: dict[str, Any] = {"images": f"{len(dataset):,}, read as {shape_of(dataset)}"}
    if folder is None:
        skipped.append("sizes and modes of files: the images came without them")
        found += order_finding(labels, int((np.array(counts) > 0).sum()))
    else:
        skipped.append("order of rows: a folder is read class by class")
        files = file_table([folder / str(one) for one in dataset.sample_ids])
        found += file_findings(files, labels)
        for key in files:
            shown = files[key].value_counts().items()
            facts[f"{key}s"] = some(f"{one} {count:,}" for one, count in shown)
    rows = np.flatnonzero(dataset.readable.numpy())
    keys, ids = row_keys(dataset.features)[rows], dataset.sample_ids[rows]
    found += twin_findings(keys, labels[rows], names, ids, exact=True)
    if len(rows) <= MOST_COMPARED:
        found += near_findings(dataset)
    else:
        skipped.append(f"images that are nearly equal: more than {MOST_COMPARED:,}")
    return facts | _classes(names, counts, labels) | _memory(dataset), found, skipped


def _classes(names: Sequence[Any], counts: Sequence[int], codes: np.ndarray) -> dict[str, Any]:
    ranked = sorted(zip(names, counts, strict=True), key=lambda one: -one[1])
    shown = {repr(name): f"{count:,}" for name, count in ranked[:_CLASSES]}
    if len(ranked) > _CLASSES:
        shown[f"and {len(ranked) - _CLASSES} more, the smallest"] = f"{ranked[-1][1]:,}"
    missing = int((codes < 0).sum())
    return {"classes": shown} | ({"rows without a label": f"{missing:,}"} if missing else {})


def _memory(dataset: LabelledDataset | None) -> dict[str, str]:
    if dataset is None:
        return {}
    where = ", in a memory-mapped file" if dataset.mapped else ""
    return {"memory": f"{dataset.features.nbytes / 1e6:,.1f} MB of features{where}"}
