"""Looks at data before anything is trained: what was read, and what is wrong with it."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hcat_nb.checks.finding import SEVERE, Finding, some
from hcat_nb.errors import DataError, HcatError, MissingDataError, UnknownNameError
from hcat_nb.fields import USERS_OWN
from hcat_nb.spec import RunSpec

if TYPE_CHECKING:
    import numpy as np

    from hcat_nb.checks.page import Check
    from hcat_nb.data.dataset import LabelledDataset
    from hcat_nb.runs._raw import Raw

__all__ = ["check"]

_SHARE = 0.2  # of the free memory, that a file may take to be read whole


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
        As of :func:`hcat_nb.characterize`.
    test : object, optional
        A test set of the same kind as ``data`` (path, frame, pair): samples
        that are in both are told.
    fix : path, optional
        New file for the table with what is safe mended, and beside it
        ``<fix>.plan``: a line for each further step, done in the next call
        if its first word is changed to ``yes``.  The result is that of
        the new file.
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
    from hcat_nb.runs._inputs import make_spec
    from hcat_nb.runs._raw import thinned

    fields = {item.name for item in dataclasses.fields(RunSpec)}
    own = {key: value for key, value in options.items() if key not in fields}
    given = {key: value for key, value in options.items() if key in fields}
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
        return looking.mended(data, labels, Path(fix), test)
    if isinstance(place, (str, os.PathLike)):
        from hcat_nb.data.host_memory import free_host_memory

        most = max(1, int(_SHARE * free_host_memory()))
        with thinned(Path(place).expanduser(), most) as (part, step):
            if step > 1:
                return looking.page(str(part), labels, test, step)
    return looking.page(data, labels, test)


@dataclasses.dataclass(frozen=True, eq=False)
class _Looking:
    """How data are read."""

    spec: RunSpec
    name: str | None
    classes: Sequence[Any] | None
    truth: Any

    def page(self, data: Any, labels: Any, test: Any, step: int = 1) -> Check:
        """Return the page; ``step``: of which rows ``data`` hold one each."""
        from hcat_nb.checks.page import Check
        from hcat_nb.runs._raw import raw_table

        raw = raw_table(data, labels, self.spec, self.truth)
        dataset, findings = self.load(data, labels, raw)
        if dataset is not None and (raw is None or dataset.modality == "image"):
            raw = None
            facts, found, skipped = _of_dataset(dataset, self.files(data))
        else:
            assert raw is not None
            facts, found, skipped = _of_table(raw, dataset, self.classes)
        findings += found
        parts = self.parts() if raw is None else []
        if parts and test is None and dataset is not None:
            for part, other in parts:
                findings += _shared_images(dataset, other, f"the part {part!r}")
        elif test is None:
            skipped.append("duplicates between training and test set: none was given")
        else:
            findings += self.overlap(raw, dataset, test)
        if step > 1:
            skipped.append(
                f"the whole file: it is too large for memory, and each {step:,}th row was looked at"
            )
        name = self.name or (Path(self.spec.dataset).stem if dataset is None else dataset.name)
        done = () if dataset is None else dataset.notes
        if dataset is None:
            skipped.append("what a run does to the data: it stops, see above")
        return Check(name, facts, done, tuple(findings), tuple(skipped))

    def load(
        self, data: Any, labels: Any, raw: Raw | None
    ) -> tuple[LabelledDataset | None, list[Finding]]:
        """Return what a run reads, None if it stops; and why."""
        from hcat_nb.runs._inputs import load_dataset

        try:
            return load_dataset(data, labels, self.name, self.spec, self.classes, self.truth), []
        except (UnknownNameError, MissingDataError):
            raise
        except HcatError as error:
            kept = self.spec.replace(on_bad_row="keep", on_missing_label="keep")
            dataset = None
            if raw is None:
                dataset = load_dataset(data, labels, self.name, kept, self.classes, self.truth)
            found = _refusals(raw, self.spec) or [
                Finding("stop", SEVERE, f"a run stops here: {error.wrong}", error.remedy or "")
            ]
            return dataset, found

    def mended(self, data: Any, labels: Any, file: Path, test: Any) -> Check:
        """Return the page of the table that was mended in a file."""
        from hcat_nb.checks.profile import profiles
        from hcat_nb.checks.table import WIDEST, table_findings
        from hcat_nb.data.table_options import TableOptions
        from hcat_nb.runs._mend import mend
        from hcat_nb.runs._raw import coded, raw_table

        raw = raw_table(data, labels, self.spec, self.truth)
        if raw is None:
            raise DataError(
                "only a table can be mended in a file", "a file or a frame, and target="
            )
        codes, names = coded(raw.labels, self.classes)
        counts = [int((codes == code).sum()) for code in range(len(names))]
        columns = profiles(raw.frame.iloc[:, :WIDEST])
        found = table_findings(raw.frame, columns, codes, names, text=raw.text)
        encoding = self.spec.dataset_options.get("encoding", "utf-8")
        mended, told = mend(raw, names, counts, found, file, encoding)
        table = {item.name for item in dataclasses.fields(TableOptions)}
        left = {
            key: [one for one in value if one in mended]
            if key in ("drop", "categorical")
            else value
            for key, value in self.spec.dataset_options.items()
            if key in table
        }
        spec = self.spec.replace(dataset=USERS_OWN, dataset_options=left)
        again = dataclasses.replace(self, spec=spec, name=self.name or file.stem)
        page = again.page(mended, None if raw.target else raw.labels, test)
        return dataclasses.replace(page, done=(*told, *page.done))

    def files(self, data: Any) -> Any:
        """Return where the image files of a folder lie; None if it is none."""
        from hcat_nb.registry import name_of_path, names_folder

        place = self.spec.dataset if data is None else data
        if not isinstance(place, (str, os.PathLike)):
            return None
        place = name_of_path(place)
        if place == "folder":
            place = self.spec.dataset_options.get("path", "")
        return Path(place).expanduser() if names_folder(place) else None

    def parts(self) -> list[tuple[str, LabelledDataset]]:
        """Return the other parts of a named dataset that has a train, val and test part."""
        from hcat_nb.runs._inputs import load_dataset

        if self.spec.dataset != "medmnist":
            return []
        options = dict(self.spec.dataset_options)
        found = []
        for part in ("train", "val", "test"):
            if part != options.get("split", "train"):
                spec = self.spec.replace(dataset_options={**options, "split": part}, subset=None)
                try:
                    found.append((part, load_dataset(None, None, None, spec, self.classes)))
                except DataError:  # a file without this part
                    continue
        return found

    def overlap(self, raw: Raw | None, dataset: LabelledDataset | None, test: Any) -> list[Finding]:
        """Return the samples of the test set that are in the training set."""
        from hcat_nb.runs._inputs import load_dataset
        from hcat_nb.runs._raw import raw_table

        pair = isinstance(test, tuple) and len(test) == 2
        data, labels = test if pair else (test, None)
        if raw is not None:
            other = raw_table(data, labels, self.spec, self.truth)
            if other is None:
                raise DataError("the test set is no table, and the data are one", "two tables")
            return _shared_rows(raw, other)
        kept = self.spec.replace(on_bad_row="keep")
        assert dataset is not None
        return _shared_images(dataset, load_dataset(data, labels, None, kept, self.classes))


def _refusals(raw: Raw | None, spec: RunSpec) -> list[Finding]:
    """Return all columns that a run refuses, where it would name the first."""
    from hcat_nb.data._column_kinds import read_column
    from hcat_nb.data.table_options import TableOptions

    if raw is None:
        return []
    known = {item.name for item in dataclasses.fields(TableOptions)}
    options = TableOptions.of(**{k: v for k, v in spec.dataset_options.items() if k in known})
    errors: list[DataError] = []
    for name in raw.frame.columns:
        if name == raw.text:
            continue
        try:
            read_column(raw.frame[name], name, options)
        except DataError as error:
            errors.append(error)
    if not errors:
        return []
    more = f"; and {len(errors) - 1} more columns" if len(errors) > 1 else ""
    remedies = some((error.remedy or "" for error in errors), 3)
    return [Finding("stop", SEVERE, f"a run stops here: {errors[0].wrong}{more}", remedies)]


def _of_table(
    raw: Raw, dataset: LabelledDataset | None, classes: Sequence[Any] | None
) -> tuple[dict[str, Any], list[Finding], list[str]]:
    import numpy as np

    from hcat_nb.checks.classes import class_findings
    from hcat_nb.checks.profile import profiles
    from hcat_nb.checks.table import WIDEST, table_findings
    from hcat_nb.runs._raw import coded

    frame = raw.frame
    codes, names = coded(raw.labels, classes)
    if len(codes) != len(frame):
        raise DataError(
            f"{len(frame)} rows of features, but {len(codes)} labels", "one label a row"
        )
    read: dict[str, np.ndarray] = {}
    skipped: list[str] = []
    if dataset is not None and len(dataset) == len(frame) and dataset.feature_names:
        places = [
            place for place in range(len(dataset.feature_names)) if place not in dataset.words
        ]
        read = {dataset.feature_names[at]: dataset.features[:, at].numpy() for at in places}
    else:
        skipped.append("values that collapse in float32: a run does not read all rows as they are")
    counts = np.bincount(codes[codes >= 0], minlength=len(names)).tolist()
    found = class_findings(names, counts)
    columns = profiles(frame.iloc[:, :WIDEST])
    found += table_findings(frame, columns, codes, names, text=raw.text, read=read)
    if frame.shape[1] > WIDEST:
        skipped.append(f"columns after the first {WIDEST:,}, one by one")
    if len(frame) > 20_000:
        skipped.append("columns that give the label away: on 20,000 of the rows, drawn at random")
    kinds: dict[str, int] = {}
    for one in columns:
        kind = "text" if one.name == raw.text else one.kind
        kinds[kind] = kinds.get(kind, 0) + 1
    from hcat_nb.checks.columns import missing_words

    missing = {one.name: f"{one.n_missing:,}" for one in columns if one.n_missing}
    words = {
        f"{one.name} {word!r}": f"{count:,}"
        for one in columns
        for word, count in missing_words(one).items()
    }
    facts = {
        "rows": f"{len(frame):,}",
        "columns": ", ".join(f"{count:,} {kind}" for kind, count in kinds.items()),
        **({"missing cells": missing} if missing else {}),
        **({"words for missing": words} if words else {}),
        **_class_facts(names, counts, int((codes < 0).sum())),
        **_memory(dataset),
    }
    if raw.text is not None:
        length = frame[raw.text].fillna("").astype(str).str.len()
        facts["characters of a text"] = (
            f"{length.min():,} to {length.max():,}, median {length.median():,.0f}"
        )
    return facts, found, skipped


def _of_dataset(
    dataset: LabelledDataset, folder: Path | None
) -> tuple[dict[str, Any], list[Finding], list[str]]:
    """Return what is told of data that are no table as they come."""
    from hcat_nb.checks.alone import order_finding
    from hcat_nb.checks.classes import class_findings
    from hcat_nb.checks.pictures import file_table, image_findings
    from hcat_nb.checks.rows import twin_findings
    from hcat_nb.data.duplicates import row_keys
    from hcat_nb.runs._raw import Raw, feature_frame

    if dataset.modality == "table":
        frame = feature_frame(dataset)
        raw = Raw(frame, dataset.label_values(), dataset.text, frame)
        return _of_table(raw, dataset, dataset.class_values)
    labels, skipped = dataset.labels.numpy(), []
    counts = dataset.class_counts.tolist()
    found = class_findings(dataset.class_values, counts)
    files = None
    facts: dict[str, Any] = {"images": f"{len(dataset):,}, read as {_shape(dataset)}"}
    if folder is not None:
        files = file_table([folder / str(one) for one in dataset.sample_ids])
        known = files.dropna()
        sizes = (
            known["width"].astype(int).astype(str) + " x " + known["height"].astype(int).astype(str)
        )
        facts["sizes"] = some(f"{size} {n:,}" for size, n in sizes.value_counts().items())
        for key in ("mode", "format"):
            facts[f"{key}s"] = {k: f"{n:,}" for k, n in files[key].value_counts().items()}
        skipped.append("order of rows: a folder is read class by class")
    else:
        skipped.append("sizes and modes of files: the images came as an array")
        found += order_finding(labels, len(set(labels[labels >= 0].tolist())))
    found += image_findings(dataset, files)
    rows = dataset.readable.numpy().nonzero()[0]
    keys = row_keys(dataset.features)[rows]
    ids = dataset.sample_ids[rows]
    found += twin_findings(keys, labels[rows], dataset.class_values, ids, exact=True)
    facts |= _class_facts(dataset.class_values, counts, int((labels < 0).sum()))
    return {**facts, **_memory(dataset)}, found, skipped


def _shape(dataset: LabelledDataset) -> str:
    return " x ".join(map(str, dataset.sample_shape))


def _class_facts(names: Sequence[Any], counts: Sequence[int], missing: int) -> dict[str, Any]:
    ranked = sorted(zip(names, counts, strict=True), key=lambda one: -one[1])
    shown = {repr(name): f"{count:,}" for name, count in ranked[:12]}
    if len(ranked) > 12:
        shown[f"and {len(ranked) - 12} more, the smallest"] = f"{ranked[-1][1]:,}"
    return {"classes": shown, **({"rows without a label": f"{missing:,}"} if missing else {})}


def _memory(dataset: LabelledDataset | None) -> dict[str, str]:
    if dataset is None:
        return {}
    where = ", in a memory-mapped file" if dataset.mapped else ""
    return {"memory": f"{dataset.features.nbytes / 1e6:,.1f} MB of features{where}"}


def _shared_rows(raw: Raw, other: Raw) -> list[Finding]:
    import pandas as pd

    from hcat_nb.checks.profile import profiles
    from hcat_nb.checks.rows import overlap_findings, row_groups
    from hcat_nb.checks.table import apart_from, quick_findings
    from hcat_nb.data._label_column import label_column

    common = [name for name in raw.frame.columns if name in other.frame.columns]
    both = pd.concat([raw.frame[common], other.frame[common]], ignore_index=True)
    labels = pd.factorize(pd.Series(label_column(raw.labels)))[0]
    left = apart_from(quick_findings(raw.frame[common], labels, raw.text))
    kept = [one for one in profiles(both) if one.name not in left]
    if not kept:
        return []
    keys = row_groups(kept, len(both))
    n = len(raw.frame)
    exact = raw.text is not None and len(common) == 1
    return overlap_findings(keys[:n], keys[n:], other.frame.index, exact=exact)


def _shared_images(
    dataset: LabelledDataset, other: LabelledDataset, called: str = "the test set"
) -> list[Finding]:
    import torch

    from hcat_nb.checks.rows import overlap_findings
    from hcat_nb.data.duplicates import row_keys

    if dataset.sample_shape != other.sample_shape:
        raise DataError(
            f"the test set has samples of {_shape(other)}", f"those of the data, {_shape(dataset)}"
        )
    keys, n = row_keys(torch.cat([dataset.features, other.features])), len(dataset)
    return overlap_findings(keys[:n], keys[n:], other.sample_ids, exact=True, called=called)
