"""A pandas DataFrame as the parts of a dataset."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import numpy as np

from hcat_nb.data._arrays import Parts
from hcat_nb.errors import DataError
from hcat_nb.registry import nearest

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["from_frame"]

_BLOCK = 1 << 16  # rows converted at a time: keeps temporaries small
_LISTED = 12  # names that a message lists


def from_frame(frame: pd.DataFrame, labels: Any, target: Any) -> Parts:
    """Split a frame into numeric features, labels and ids.

    Parameters
    ----------
    frame : pandas.DataFrame
        All columns but the target are features.
    labels : object, optional
        The labels, if they are not a column of the frame.
    target : hashable, optional
        Column that holds the labels.

    Raises
    ------
    DataError
        If the target is absent, a feature is not numeric, names repeat, the
        index has levels, or labels carry another index.
    """
    import pandas as pd

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
    repeated = sorted({name for name in names if names.count(name) > 1}) if _repeats(names) else []
    if repeated:
        raise DataError(
            f"the frame has several columns called {_quoted(repeated)}",
            "different names",
            "rename or drop them",
        )
    columns = list(range(len(names)))
    if target is not None:
        position = _position(target, names)
        columns.remove(position)
        labels = frame.iloc[:, position]
    elif isinstance(labels, (pd.Series, pd.DataFrame)) and len(labels) == len(frame):
        _same_index(frame, labels)
    _all_numeric(frame, columns, names)
    return Parts(
        features=_values(frame, columns),
        labels=labels,
        name="frame",
        ids=frame.index.copy(deep=True),
        feature_names=tuple(names[column] for column in columns),
        owned=True,
    )


def _repeats(names: list[str]) -> bool:
    return len(set(names)) < len(names)


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
    listed = names
    if len(names) > _LISTED:
        import difflib

        listed = difflib.get_close_matches(name, names, n=3, cutoff=0.5) or names[:_LISTED]
    raise DataError(f"the frame has no column {name!r} to use as target", nearest(name, listed))


def _same_index(frame: pd.DataFrame, labels: pd.Series | pd.DataFrame) -> None:
    if not labels.index.equals(frame.index):
        raise DataError(
            "the labels have another index than the frame, so rows cannot be matched for sure",
            "one index for both",
            "labels.loc[frame.index], or labels.to_numpy() if they are in the frame's order",
        )


def _all_numeric(frame: pd.DataFrame, columns: list[int], names: list[str]) -> None:
    from pandas.api.types import is_complex_dtype, is_numeric_dtype

    if not columns:
        raise DataError("the frame has no feature column", "at least one besides the target")
    text = [
        f"{names[column]!r} ({frame.dtypes.iloc[column]})"
        for column in columns
        if not is_numeric_dtype(frame.dtypes.iloc[column])
        or is_complex_dtype(frame.dtypes.iloc[column])
    ]
    if text:
        more = f" and {len(text) - _LISTED} more" if len(text) > _LISTED else ""
        raise DataError(
            f"{len(text)} column{'s are' if len(text) > 1 else ' is'} not numeric: "
            + ", ".join(text[:_LISTED])
            + more,
            "numeric feature columns",
            "drop them, encode text with pandas.get_dummies(frame, columns=[...]), or give numbers "
            "that are held as objects a type: frame.astype({column: float})",
        )


def _values(frame: pd.DataFrame, columns: list[int]) -> np.ndarray:
    out = np.empty((len(frame), len(columns)), np.float32)
    # a number beyond float32 becomes infinite and is reported with its row
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, len(frame), _BLOCK):
            block = frame.iloc[start : start + _BLOCK, columns]
            out[start : start + _BLOCK] = block.to_numpy(dtype=np.float32, na_value=np.nan)
    return out


def _quoted(names: list[str]) -> str:
    return ", ".join(repr(name) for name in names[:_LISTED])
