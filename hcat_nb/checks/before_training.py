"""What a run says, leaves out or refuses of its data before it trains: the cheap checks."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hcat_nb.arguments import as_options
from hcat_nb.checks.classes import class_findings
from hcat_nb.checks.finding import EXCLUDABLE, NOTE, SEVERE, Finding
from hcat_nb.checks.raw import coded, feature_frame
from hcat_nb.checks.rows import twin_findings
from hcat_nb.checks.table import COLUMNS, quick_findings
from hcat_nb.data.duplicates import row_keys
from hcat_nb.errors import DataError, DataWarning

if TYPE_CHECKING:
    from hcat_nb.data.dataset import LabelledDataset
    from hcat_nb.spec import RunSpec

_FOUND = "found"
_NOT_RUN = "not run"
_HASHED = 2**27  # bytes of images that are compared


def told_before(dataset: LabelledDataset, spec: RunSpec, *, tell: bool) -> list[str]:
    """Return what cheap checks find in the data of a run, as notes; warn of what is severe."""
    found = [one for one in _found(dataset) if one.severity != NOTE or one.kind == _NOT_RUN]
    severe = [one for one in found if one.severity == SEVERE]
    if severe and spec.strict:
        more = f" (and {len(severe) - 1} more severe findings)" if len(severe) > 1 else ""
        raise DataError(
            f"strict, and a check of the data finds: {severe[0].evidence}{more}",
            "data without a severe finding",
            severe[0].remedy,
        )
    for one in severe if tell else ():
        # Without a registry, in which a second run of the same cell would be a repetition.
        warnings.warn_explicit(str(one), DataWarning, __file__, 0)
    return [str(one) for one in found]


@contextmanager
def told_in_a_line() -> Iterator[None]:
    """Print what is severe in the words of a command line, without the code that says so."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", DataWarning)
        plain = warnings.showwarning

        def show(message: Any, category: type[Warning], *where: Any, **more: Any) -> None:
            if issubclass(category, DataWarning):
                print(f"hcat: {as_options(str(message))}", file=sys.stderr)
            else:
                plain(message, category, *where, **more)

        warnings.showwarning = show
        yield


def _found(dataset: LabelledDataset) -> list[Finding]:
    labels = dataset.labels.numpy()
    found = class_findings(dataset.class_values, dataset.class_counts.tolist())
    found = [one for one in found if one.severity == SEVERE]
    if dataset.modality == "table":
        frame = feature_frame(dataset)
        found += quick_findings(frame, labels, dataset.class_values, dataset.text)
        if frame.shape[1] > COLUMNS:
            text = f"before training the first {COLUMNS} columns alone were checked"
            found.append(Finding(_NOT_RUN, NOTE, text, "hcat check looks at more"))
        return found
    if dataset.features.nbytes > _HASHED:
        text = f"equal images were not sought before training ({dataset.features.nbytes:,} bytes)"
        return [*found, Finding(_NOT_RUN, NOTE, text, "hcat check seeks them")]
    rows = np.flatnonzero(dataset.readable.numpy())
    keys = row_keys(dataset.features)[rows]
    names, ids = dataset.class_values, dataset.sample_ids[rows]
    twins = twin_findings(keys, labels[rows], names, ids, exact=True)
    return found + [one for one in twins if one.severity == SEVERE]


def excluded(frame: pd.DataFrame, labels: Any, text: str | None, spec: RunSpec) -> tuple[str, ...]:
    """Return the columns that a run leaves out: those it was told, and those that are found."""
    names = [name for name in spec.exclude if name != _FOUND]
    if _FOUND in spec.exclude:
        codes, values = coded(labels)
        for one in quick_findings(frame, codes, values, text):
            if one.kind in EXCLUDABLE:
                names += one.columns
    return tuple(pd.unique(pd.Series(names, dtype=object)))
