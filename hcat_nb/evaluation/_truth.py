"""Reading the truth in whatever form a user has it, lined up with the scores."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from hcat_nb.errors import DataError

GIVEN = "given"  # the kind of hardness where the truth names none
NOTHING = "none"
UNKNOWN = "unknown"  # neither hard nor untouched, as far as anybody knows


@dataclass(frozen=True, eq=False)
class Truth:
    """Which samples are hard, and how, in the order of the scores.

    ``hardness`` is ``"none"`` where a sample is not hard, ``"unknown"`` where that is not known.
    """

    is_hard: np.ndarray
    hardness: np.ndarray

    def kinds(self) -> list[str]:
        """Return the kinds that occur, in alphabetical order."""
        return sorted(set(self.hardness[self.is_hard].tolist()))


def read_truth(truth: Any, index: pd.Index) -> Truth:
    """Return the truth for the rows of ``index``, the sample ids of the scores.

    A table with ``is_hard`` (and ``hardness``); flags (bool, 0/1, 0.0/1.0), one a row; or the
    ids of the hard samples, as a set, an Index, a list or tuple.  A list of zeros and ones as
    long as the scores is read as flags.
    """
    if isinstance(truth, pd.DataFrame):
        if "is_hard" not in truth.columns:
            listed = ", ".join(map(str, truth.columns[:8]))
            raise DataError(
                f"the truth has the columns {listed or '(none)'}", "a column is_hard (bool)"
            )
        table = aligned(truth, index, "truth")
        is_hard = flags_of(table["is_hard"], len(index), "is_hard")
        if "hardness" in table.columns:
            kinds = table["hardness"].astype(str).to_numpy()
            return Truth(is_hard, np.where(is_hard | (kinds == UNKNOWN), kinds, NOTHING))
        return _plain(is_hard)
    if isinstance(truth, pd.Series):
        return _plain(flags_of(aligned(truth, index, "truth"), len(index), "truth"))
    if isinstance(truth, str) or not isinstance(truth, Iterable):
        raise DataError(f"the truth is {truth!r}", "flags, one a sample, or the ids of hard ones")
    if _are_ids(truth, index):
        return _plain(_marked(truth, index))
    return _plain(flags_of(truth, len(index), "truth"))


def flags_of(values: Any, n: int, name: str) -> np.ndarray:
    """Return ``values`` (bool, 0/1 or 0.0/1.0) as (n,) bool; all else is refused by ``name``."""
    array = np.asarray(values)
    if array.shape != (n,):
        raise DataError(f"{name} has the shape {array.shape}", f"({n},), one flag a sample")
    if array.dtype == bool:
        return array
    for value in array.tolist():
        if not _is_flag(value):
            raise DataError(
                f"{name} holds {value!r}",
                "flags: True/False, 1/0 or 1.0/0.0",
                "compare it first (truth == 'hard'), or give the set of hard sample ids",
            )
    return array.astype(bool)


def _is_flag(value: Any) -> bool:
    # Text and missing values in all their forms are neither.
    return isinstance(value, (bool, np.bool_, Real)) and value in (0, 1)


def _plain(is_hard: np.ndarray) -> Truth:
    return Truth(is_hard, np.where(is_hard, GIVEN, NOTHING).astype(object))


def aligned(table: Any, index: pd.Index, what: str) -> Any:
    """Return a frame or series in the order of ``index``."""
    if len(table) != len(index):
        raise DataError(f"{what} has {len(table)} rows, scores have {len(index)}", "one each")
    if table.index.equals(index):
        return table
    if not (table.index.is_unique and index.is_unique):
        raise DataError(
            f"{what} and scores have different sample ids, some of them twice",
            "the same index in the same order, or unique ids",
        )
    strangers = table.index.difference(index, sort=False)
    if len(strangers):
        raise DataError(
            f"{what} names the sample {strangers[0]!r}, which has no score",
            f"ids like {index[0]!r}",
            "give flags without an index (truth.to_numpy()) to match by position",
        )
    return table.reindex(index)


def _are_ids(truth: Iterable[Any], index: pd.Index) -> bool:
    if isinstance(truth, (set, frozenset, pd.Index)):
        return True
    if not isinstance(truth, (list, tuple)):
        return False  # an array is flags: an id is too easily taken for one
    if not truth:
        return True  # no id: nothing is hard
    if all(isinstance(item, (bool, np.bool_)) for item in truth):
        return False
    if not all(isinstance(item, Hashable) for item in truth):
        return False
    as_long = len(truth) == len(index)
    if all(map(_is_flag, truth)) and (as_long or len(set(truth)) < len(truth)):
        return False
    # Text as long as the scores and none of it an id: "hard"/"easy", for flags_of to refuse.
    return not (as_long and not index.isin(list(truth)).any())


def _marked(ids: Iterable[Any], index: pd.Index) -> np.ndarray:
    if not index.is_unique:
        raise DataError(
            "sample ids are not unique, so ids do not say which rows are hard",
            "flags, one a sample",
        )
    known = set(index.tolist())
    listed = list(ids)
    strangers = [item for item in listed if item not in known]
    if strangers:
        raise DataError(
            f"the truth names the sample {strangers[0]!r}, which has no score",
            f"ids like {index[0]!r}" if len(index) else "no ids, for there are no scores",
        )
    marked: np.ndarray = index.isin(listed)
    return marked
