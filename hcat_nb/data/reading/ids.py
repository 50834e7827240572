"""What a sample is called: the one rule, and what is told of it.

The names that the data bring (the index of a frame, the paths of files, the
positions that a Subset takes from its parent), else the index of the labels,
else positions.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from hcat_nb.errors import DataError

_NAMED = 3  # ids that a note names


def sample_ids(known: pd.Index | None, labels: Any, n: int) -> tuple[pd.Index, list[str]]:
    """Return the ids of ``n`` samples, and notes about them.

    ``known``: names that the data bring; ``labels``: whose index counts where there are no others.

    >>> import pandas as pd
    >>> ids, notes = sample_ids(None, pd.Series(["oak", "elm"], index=[161, 92]), 2)
    >>> ids.tolist(), notes
    ([161, 92], ['sample ids are the index of the labels: 161, 92'])
    """
    ids, notes = known, []
    if ids is None and named_by_labels(labels, n):
        ids = labels.index.copy(deep=True)
        notes.append(f"sample ids are the index of the labels: {_some(ids)}")
    ids = pd.RangeIndex(n) if ids is None else ids
    return ids, [*notes, *check_ids(ids)]


def named_by_labels(labels: Any, n: int) -> bool:
    """Whether labels have an index of their own, with a name for each of ``n`` rows."""
    return (
        isinstance(labels, (pd.Series, pd.DataFrame))
        and len(labels) == n
        and not is_plain(labels.index)
    )


def is_plain(index: pd.Index) -> bool:
    """Whether an index says no more than the positions: 0, 1, 2, ..."""
    return isinstance(index, pd.RangeIndex) and index.equals(pd.RangeIndex(len(index)))


def check_ids(ids: pd.Index) -> list[str]:
    """Return a note that ids repeat, if they do."""
    if isinstance(ids, pd.MultiIndex):
        raise DataError("the ids are a MultiIndex", "one level", "index.map(str)")
    if pd.api.types.infer_dtype(ids, skipna=False).startswith("mixed"):
        raise DataError(
            "the ids are of several types, or objects, and no file keeps those",
            "one type",
            "index.map(str)",
        )
    if ids.is_unique:
        return []
    twice = ids[ids.duplicated()].unique()
    word = "id occurs" if len(twice) == 1 else "ids occur"
    return [
        f"{len(twice)} sample {word} more than once ({_some(twice)}): results tell such samples "
        "apart by position only, and decisions on them are refused"
    ]


def _some(ids: pd.Index) -> str:
    return ", ".join(map(str, ids[:_NAMED])) + (", ..." if len(ids) > _NAMED else "")
