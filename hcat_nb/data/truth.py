"""What a user knows of the labels: the true ones, or which are wrong; never a feature."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from hcat_nb.data._hugging_face import column_values, is_hugging_face
from hcat_nb.data._label_column import OneHot, label_column
from hcat_nb.data._table import nearest_columns
from hcat_nb.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.data.dataset import LabelledDataset

__all__ = ["names_column", "split_truth", "truth_values", "with_truth"]

_OBJECT = "truth=, an array or Series with a value for each row"


def names_column(truth: Any) -> bool:
    """Whether ``truth`` is the name of a column, and not the values themselves.

    Examples
    --------
    >>> names_column("checked"), names_column(["oak", "elm"]), names_column(None)
    (True, False, False)
    """
    return truth is not None and (isinstance(truth, str) or not hasattr(truth, "__len__"))


def split_truth(data: Any, truth: Any, target: Any) -> tuple[Any, Any]:
    """Return the data without the column that ``truth`` names, and its values.

    Parameters
    ----------
    data : object
        Left as it is.
    truth : hashable or array-like, optional
        A column of ``data``, or the values themselves.
    target : hashable, optional

    Raises
    ------
    DataError
        If there is no such column, or it is the target.
    """
    import pandas as pd

    if not names_column(truth):
        return data, truth
    if not isinstance(truth, Hashable):
        raise DataError(f"truth is {truth!r}", f"a column, or {_OBJECT}")
    if target is not None and str(truth) == str(target):
        raise DataError(f"truth and target are both {truth!r}", "two columns")
    if is_hugging_face(data):
        values = column_values(data, str(truth))
        return data.remove_columns(str(truth)), values
    if isinstance(data, Mapping):
        data = pd.DataFrame(dict(data))
    if not isinstance(data, pd.DataFrame):
        raise DataError(
            f"truth={truth!r} names a column, and data of the type {type(data).__name__} have none",
            _OBJECT,
        )
    names = [str(name) for name in data.columns]
    if str(truth) not in names:
        raise DataError(
            f"the table has no column {str(truth)!r} to use as truth",
            nearest_columns(str(truth), names),
        )
    place = names.index(str(truth))
    kept = [column for column in range(len(names)) if column != place]
    return data.iloc[:, kept], data.iloc[:, place]


def truth_values(truth: Any, ids: pd.Index) -> np.ndarray:
    """Return the values of the truth, one a row: (n,), object; None where nothing is known.

    Raises
    ------
    DataError
        If they are of another length, or a Series has another index.
    """
    import pandas as pd

    if isinstance(truth, pd.Series) and len(truth) == len(ids) and not truth.index.equals(ids):
        raise DataError(
            "the truth has another index than the data, so rows cannot be matched for sure",
            "one index for both",
            "truth.loc[ids], or truth.to_numpy() if it is in the order of the data",
        )
    column = label_column(truth)
    if isinstance(column, OneHot):
        raise DataError("the truth is a matrix", "a value for each row")
    if len(column) != len(ids):
        raise DataError(f"{len(ids)} rows, but {len(column)} values of the truth", "one each")
    values = np.array(column, dtype=object)
    values[pd.isna(values)] = None
    return values


def with_truth(dataset: LabelledDataset, truth: Any) -> LabelledDataset:
    """Return a dataset with what is known of its samples.

    Raises
    ------
    DataError
        If a column is named: the dataset has none; or see :func:`truth_values`.
    """
    if names_column(truth):
        raise DataError(
            f"truth={truth!r} names a column, and {dataset.name!r} has none to be named", _OBJECT
        )
    return dataset.replace(truth=truth_values(truth, dataset.sample_ids))
