"""Whatever holds labels, as one column or as a one-hot matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from hcat_nb.data.reading.any_frame import as_pandas
from hcat_nb.errors import DataError


@dataclass(frozen=True, eq=False)
class OneHot:
    """A one-hot matrix: the code of each row, and what its columns are called."""

    codes: np.ndarray
    names: Sequence[Any]


def label_column(labels: Any) -> np.ndarray | pd.Categorical | OneHot:
    """Return labels as a column of numbers or objects, a Categorical, or a OneHot."""
    labels = as_pandas(labels)
    if isinstance(labels, np.ma.MaskedArray):
        raise DataError(
            "the labels are a masked array", "a plain array", "labels.astype(object).filled(None)"
        )
    if isinstance(labels, pd.DataFrame):
        if labels.shape[1] == 1:
            return label_column(labels.iloc[:, 0])
        return _one_hot(labels.to_numpy(), list(labels.columns))
    if isinstance(labels, (pd.Series, pd.Index, pd.api.extensions.ExtensionArray)):
        return _from_pandas(pd.Series(labels))
    if isinstance(labels, Tensor) and labels.is_meta:
        raise DataError("the labels are on the meta device, without numbers", "numbers")
    if isinstance(labels, Tensor):
        return _from_array(_from_tensor(labels))
    if isinstance(labels, (list, tuple, range)):
        return _from_sequence(list(labels))
    if hasattr(labels, "to_pylist"):
        return _from_sequence(labels.to_pylist())
    if hasattr(labels, "__array__"):
        return _from_array(np.asarray(labels))
    raise DataError(
        f"labels of the type {type(labels).__name__} have no order of rows",
        "an array, tensor, list, Series or one-hot matrix",
    )


def _from_pandas(series: pd.Series) -> np.ndarray | pd.Categorical:
    if isinstance(series.dtype, pd.CategoricalDtype):
        return pd.Categorical(series)
    if isinstance(series.dtype, np.dtype):
        return series.to_numpy()
    # nullable, pyarrow and string types: as Python values, so that a missing one
    # does not turn integers into floats
    return series.to_numpy(dtype=object)


def _from_tensor(labels: Tensor) -> np.ndarray:
    labels = labels.detach().cpu()
    # NumPy has no bfloat16
    return (labels.float() if labels.dtype == torch.bfloat16 else labels).numpy()


def _from_sequence(items: list[Any]) -> np.ndarray | OneHot:
    types = set(map(type, items))
    if any(issubclass(type_, (Tensor, np.ndarray)) for type_ in types):
        items = [_unwrapped(item) for item in items]
        types = set(map(type, items))
    if any(issubclass(type_, (list, tuple, np.ndarray)) for type_ in types):
        try:
            matrix = np.asarray(items)
        except ValueError:
            raise DataError("the labels are rows of differing lengths", "one label a row") from None
        return _from_array(matrix)
    column = np.empty(len(items), dtype=object)
    column[:] = items
    return column


def _unwrapped(item: Any) -> Any:
    if isinstance(item, Tensor):
        item = _from_tensor(item)
    return item.item() if isinstance(item, np.ndarray) and item.ndim == 0 else item


def _from_array(array: np.ndarray) -> np.ndarray | OneHot:
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim == 1:
        return array.astype(object) if array.dtype.kind == "U" else array
    if array.ndim == 2 and array.shape[1] > 1:
        return _one_hot(array, range(array.shape[1]))
    raise DataError(f"the labels have the shape {array.shape}", "one label a row")


def _one_hot(array: np.ndarray, names: Sequence[Any]) -> OneHot:
    expected = "one label a row, or a one-hot matrix with exactly one 1 a row and 0 elsewhere"
    if array.dtype.kind not in "biuf":
        raise DataError(f"the labels have the shape {array.shape} and type {array.dtype}", expected)
    ones = array == 1
    wrong = np.flatnonzero((ones.sum(1) != 1) | ~(ones | (array == 0)).all(1))
    if len(wrong):
        raise DataError(
            f"the labels have the shape {array.shape}, but row {wrong[0]} is not one-hot",
            expected,
            "of probabilities take labels.argmax(1); several labels a row are not supported",
        )
    return OneHot(ones.argmax(1).astype(np.int64), names)
