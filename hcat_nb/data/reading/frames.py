"""A pandas DataFrame as the parts of a dataset."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from hcat_nb.data.files.number_texts import blanked, told_missing
from hcat_nb.data.reading.arrays import Parts
from hcat_nb.data.reading.ids import is_plain, named_by_labels
from hcat_nb.data.reading.table import nearest_columns, read_table
from hcat_nb.data.table_options import TableOptions
from hcat_nb.errors import DataError, UnknownNameError

_LISTED = 12  # names that a message lists


def from_frame(
    frame: pd.DataFrame, labels: Any, target: Any, options: TableOptions | None = None
) -> Parts:
    """Split a frame into features, labels (one of its columns, or beside it) and ids."""
    for axis, index, remedy in (
        ("index", frame.index, "frame.reset_index(drop=True)"),
        ("columns", frame.columns, "frame.columns = frame.columns.map(str)"),
    ):
        if isinstance(index, pd.MultiIndex):
            raise DataError(f"the frame has a MultiIndex as its {axis}", "one level", remedy)
    if pd.api.types.infer_dtype(frame.index, skipna=False).startswith("mixed"):
        raise DataError(
            "the frame's index holds values of several types, or objects, and no file keeps those",
            "an index of one type",
            "frame.set_axis(frame.index.map(str))",
        )
    names = [str(column) for column in frame.columns]
    if len(set(names)) < len(names):
        repeated = sorted({name for name in names if names.count(name) > 1})
        raise DataError(
            f"the frame has several columns called {', '.join(map(repr, repeated[:_LISTED]))}",
            "different names",
            "rename or drop them",
        )
    options = options or TableOptions()
    frame, about_missing = _without_missing(frame, names, options)
    columns = list(range(len(names)))
    if target is not None:
        position = _position(target, names)
        columns.remove(position)
        labels = frame.iloc[:, position]
    elif isinstance(labels, (pd.Series, pd.DataFrame)) and len(labels) == len(frame):
        same_index(frame, labels)
    parts = read_table(frame.iloc[:, columns], labels, options)
    ids, notes = frame.index.copy(deep=True), (*about_missing, *parts.notes)
    return dataclasses.replace(parts, ids=ids, notes=notes)


def _without_missing(
    frame: pd.DataFrame, names: list[str], options: TableOptions
) -> tuple[pd.DataFrame, list[str]]:
    """Return a frame, and what was taken as missing: words of the options, and among numbers."""
    for name in options.missing if isinstance(options.missing, Mapping) else ():
        if name not in names:
            raise UnknownNameError(
                f"missing names the column {name!r}, which is not there",
                nearest_columns(name, names),
            )
    frame, found = blanked(frame, options)
    return frame, told_missing(found)


def nameless(frame: pd.DataFrame, labels: Any, target: Any, options: TableOptions) -> Parts:
    """Split a frame whose index is nobody's: labels with an index of their own name the rows."""
    if named_by_labels(labels, len(frame)):
        frame = frame.set_axis(labels.index)
    return dataclasses.replace(from_frame(frame, labels, target, options), ids=None)


def _position(target: Any, names: list[str]) -> int:
    if not isinstance(target, Hashable):
        raise DataError(
            f"target is a {type(target).__name__}",
            "the name of a column",
            "labels beside the frame go in as load(frame, labels)",
        )
    name = str(target)
    if name in names:
        return names.index(name)
    raise DataError(
        f"the frame has no column {name!r} to use as target", nearest_columns(name, names)
    )


def same_index(frame: pd.DataFrame, labels: pd.Series | pd.DataFrame) -> None:
    """Raise DataError unless labels have the frame's index; says what would give them one."""
    if labels.index.equals(frame.index):
        return
    unique = frame.index.is_unique and labels.index.is_unique
    remedy = "labels.to_numpy(), if row i of both is the same sample"
    if is_plain(frame.index):
        remedy = "frame.set_axis(labels.index), if row i of both is the same sample"
    elif unique and len(frame) == len(labels) and frame.index.isin(labels.index).all():
        remedy = "labels.loc[frame.index], which matches them by name"
    raise DataError(
        "the labels have another index than the frame, so rows cannot be matched for sure",
        "one index for both",
        remedy,
    )
