"""What a check tells of data beside its findings: rows, kinds, classes, files, memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hcat_nb.checks.finding import Finding
from hcat_nb.checks.raw import Raw, coded, feature_frame
from hcat_nb.errors import DataError, some

if TYPE_CHECKING:
    from hcat_nb.data.dataset import LabelledDataset

__all__ = ["Facts", "of_images", "of_table", "shared_images", "shared_rows"]

Facts = tuple[dict[str, Any], list[Finding], list[str]]  # what was read, findings, what did not run
_CLASSES = 12  # that are listed


def of_table(
    raw: Raw, dataset: LabelledDataset | None, classes: Sequence[Any] | None = None
) -> Facts:
    """Return what is told of a table; ``dataset``: as a run reads it, None if it stops."""
    from hcat_nb.checks.alone import ROWS
    from hcat_nb.checks.classes import class_findings
    from hcat_nb.checks.columns import missing_words
    from hcat_nb.checks.profile import profiles
    from hcat_nb.checks.table import WIDEST, table_findings

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
    from hcat_nb.checks.alone import order_finding
    from hcat_nb.checks.classes import class_findings
    from hcat_nb.checks.pictures import file_findings, file_table
    from hcat_nb.checks.rows import twin_findings
    from hcat_nb.data.duplicates import row_keys

    if dataset.modality == "table":
        frame = feature_frame(dataset)
        return of_table(Raw(frame, dataset.label_values(), dataset.text, frame), dataset)
    labels, names = dataset.labels.numpy(), dataset.class_values
    counts = dataset.class_counts.tolist()
    found, skipped = class_findings(names, counts), []
    facts: dict[str, Any] = {"images": f"{len(dataset):,}, read as {_shape(dataset)}"}
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
    return facts | _classes(names, counts, labels) | _memory(dataset), found, skipped


def shared_rows(raw: Raw, other: Raw) -> list[Finding]:
    """Return the rows of another table that this one holds, identifiers and constants aside."""
    import pandas as pd

    from hcat_nb.checks.profile import profiles
    from hcat_nb.checks.rows import overlap_findings, row_groups
    from hcat_nb.checks.table import apart_from, quick_findings

    common = [name for name in raw.frame.columns if name in other.frame.columns]
    left = apart_from(quick_findings(raw.frame, *coded(raw.labels), raw.text))
    both = pd.concat([raw.frame[common], other.frame[common]], ignore_index=True)
    kept = [one for one in profiles(both) if one.name not in left]
    if not kept:
        raise DataError("the test set has no feature of the data", "the same columns")
    keys, n = row_groups(kept, len(both)), len(raw.frame)
    exact = raw.text is not None and len(common) == 1
    return overlap_findings(keys[:n], keys[n:], other.frame.index, exact=exact)


def shared_images(
    dataset: LabelledDataset, other: LabelledDataset, called: str = "the test set"
) -> list[Finding]:
    """Return the images of another dataset that this one holds."""
    import torch

    from hcat_nb.checks.rows import overlap_findings
    from hcat_nb.data.duplicates import row_keys

    if dataset.sample_shape != other.sample_shape:
        raise DataError(f"the test set has samples of {_shape(other)}", f"{_shape(dataset)}")
    keys, n = row_keys(torch.cat([dataset.features, other.features])), len(dataset)
    return overlap_findings(keys[:n], keys[n:], other.sample_ids, exact=True, called=called)


def _shape(dataset: LabelledDataset) -> str:
    return " x ".join(map(str, dataset.sample_shape))


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
