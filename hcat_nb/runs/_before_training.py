"""What a run says, leaves out or refuses of its data before it trains: the cheap checks."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from hcat_nb.checks.finding import EXCLUDABLE, NOTE, SEVERE, Finding
from hcat_nb.errors import DataError, DataWarning

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.data.dataset import LabelledDataset
    from hcat_nb.spec import RunSpec

__all__ = ["excluded", "told_before"]

_FOUND = "found"
_HASHED = 2**27  # bytes of images that are compared


def told_before(dataset: LabelledDataset, spec: RunSpec, *, tell: bool) -> list[str]:
    """Return what cheap checks find in the data of a run, as notes; warn of what is severe.

    Parameters
    ----------
    dataset : LabelledDataset
    spec : RunSpec
        With ``strict`` a severe finding is an error.
    tell : bool
        Whether to warn.

    Raises
    ------
    DataError
        If there is a severe finding, and the run is strict.
    """
    found = [one for one in _found(dataset) if one.severity != NOTE]
    severe = [one for one in found if one.severity == SEVERE]
    if severe and spec.strict:
        more = f" (and {len(severe) - 1} more severe findings)" if len(severe) > 1 else ""
        raise DataError(
            f"strict, and a check of the data finds: {severe[0].evidence}{more}",
            "data without a severe finding",
            severe[0].remedy,
        )
    for one in severe if tell else ():
        warnings.warn(str(one), DataWarning, stacklevel=2)
    return [str(one) for one in found]


def _found(dataset: LabelledDataset) -> list[Finding]:
    from hcat_nb.checks.classes import class_findings
    from hcat_nb.checks.rows import twin_findings
    from hcat_nb.checks.table import quick_findings
    from hcat_nb.data._spellings import joined
    from hcat_nb.data.duplicates import row_keys
    from hcat_nb.runs._raw import feature_frame

    labels = dataset.labels.numpy()
    found = class_findings(dataset.class_values, dataset.class_counts.tolist())
    found = [one for one in found if one.severity == SEVERE]
    if dataset.modality == "table":
        one_each = joined(dataset).labels.numpy()
        return found + quick_findings(feature_frame(dataset), one_each, dataset.text)
    if dataset.features.nbytes > _HASHED:
        return found
    rows = np.flatnonzero(dataset.readable.numpy())
    keys = row_keys(dataset.features)[rows]
    names, ids = dataset.class_values, dataset.sample_ids[rows]
    twins = twin_findings(keys, labels[rows], names, ids, exact=True)
    return found + [one for one in twins if one.severity == SEVERE]


def excluded(frame: pd.DataFrame, labels: Any, text: str | None, spec: RunSpec) -> tuple[str, ...]:
    """Return the columns that a run leaves out: those it was told, and those that are found."""
    import pandas as pd

    from hcat_nb.checks.table import quick_findings
    from hcat_nb.data._spellings import joint_codes
    from hcat_nb.runs._raw import coded

    names = [name for name in spec.exclude if name != _FOUND]
    if _FOUND in spec.exclude:
        codes, values = coded(labels)
        codes = np.where(codes >= 0, joint_codes(values)[codes], codes)
        for one in quick_findings(frame, codes, text):
            if one.kind in EXCLUDABLE:
                names += one.columns
    return tuple(pd.unique(pd.Series(names, dtype=object)))
