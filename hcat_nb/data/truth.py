"""What stands beside features and labels: truth, groups, and what a row counts in training."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from hcat_nb.data.reading.any_frame import as_pandas, type_name
from hcat_nb.data.reading.hugging_face import column_values, is_hugging_face
from hcat_nb.data.reading.label_column import OneHot, label_column
from hcat_nb.data.reading.table import nearest_columns
from hcat_nb.errors import DataError

if TYPE_CHECKING:
    from hcat_nb.data.dataset import LabelledDataset

_OBJECT = "{}=, an array or Series with a value for each row"


def names_column(truth: Any) -> bool:
    """Whether ``truth`` is the name of a column, and not the values themselves.

    >>> names_column("checked"), names_column(["oak", "elm"]), names_column(None)
    (True, False, False)
    """
    return truth is not None and (isinstance(truth, str) or not hasattr(truth, "__len__"))


def split_beside(data: Any, option: str, given: Any, target: Any) -> tuple[Any, Any]:
    """Return the data without the column that ``option`` names, and its values."""
    if not names_column(given):
        return data, given
    if not isinstance(given, Hashable):
        raise DataError(f"{option} is {given!r}", "a column, or " + _OBJECT.format(option))
    if target is not None and str(given) == str(target):
        raise DataError(f"{option} and target are both {given!r}", "two columns")
    if is_hugging_face(data):
        values = column_values(data, str(given))
        return data.remove_columns(str(given)), values
    if not isinstance(data, pd.DataFrame):
        raise DataError(
            f"{option}={given!r} names a column, and data of the type {type_name(data)} have none",
            _OBJECT.format(option),
        )
    names = [str(name) for name in data.columns]
    if str(given) not in names:
        raise DataError(
            f"the table has no column {str(given)!r} to use as {option}",
            nearest_columns(str(given), names),
        )
    if names.count(str(given)) > 1:  # the second would be a feature
        raise DataError(f"the table has several columns called {str(given)!r}", "different names")
    place = names.index(str(given))
    kept = [column for column in range(len(names)) if column != place]
    return data.iloc[:, kept], data.iloc[:, place]


def truth_values(truth: Any, ids: pd.Index, what: str = "truth or groups") -> np.ndarray:
    """Return the values of the truth, one a row: (n,), object; None where nothing is known."""
    truth = as_pandas(truth)
    if isinstance(truth, pd.Series) and len(truth) == len(ids) and not truth.index.equals(ids):
        raise DataError(
            f"{what} have another index ({truth.index[0]}, ...) than the samples "
            f"({ids[0]}, ...), so rows cannot be matched for sure",
            "one index for both",
            "values.to_numpy(), if they are in the order of the data",
        )
    column = label_column(truth)
    if isinstance(column, OneHot):
        raise DataError(f"{what} are a matrix", "a value for each row")
    if len(column) != len(ids):
        raise DataError(f"{len(ids)} rows, but {len(column)} values of {what}", "one each")
    values = np.array(column, dtype=object)
    values[pd.isna(values)] = None
    return values


def with_truth(dataset: LabelledDataset, truth: Any) -> LabelledDataset:
    """Return a dataset with what is known of its samples."""
    _refuse_column("truth", truth, dataset)
    return dataset.replace(truth=truth_values(truth, dataset.sample_ids))


def group_codes(groups: Any, ids: pd.Index) -> Tensor:
    """Return a code for each group, from 0, and -1 where a row has none: (n,), int64."""
    values = truth_values(groups, ids)
    return torch.from_numpy(pd.factorize(values)[0].astype(np.int64))


def with_groups(dataset: LabelledDataset, groups: Any) -> LabelledDataset:
    """Return a dataset of which it is known which rows belong together."""
    _refuse_column("groups", groups, dataset)
    return dataset.replace(groups=group_codes(groups, dataset.sample_ids))


def weight_values(weights: Any, ids: pd.Index) -> Tensor:
    """Return what each row's loss counts: (n,), float32, above 0."""
    values = pd.to_numeric(pd.Series(truth_values(weights, ids, "weights")), errors="coerce")
    wrong = ~(np.isfinite(values) & (values > 0) & (values.astype(np.float32) > 0))
    if wrong.any():
        at = int(wrong.argmax())
        raise DataError(
            f"{int(wrong.sum()):,} weights are missing or not above 0, the first of {ids[at]}",
            "a finite number above 0 for each row",
            "leave the rows out that must not count, or give them no label",
        )
    return torch.tensor(values.to_numpy(np.float32))


def with_weights(dataset: LabelledDataset, weights: Any) -> LabelledDataset:
    """Return a dataset of which it is known what each row's loss counts."""
    _refuse_column("weights", weights, dataset)
    return dataset.replace(weights=weight_values(weights, dataset.sample_ids))


def _refuse_column(option: str, given: Any, dataset: LabelledDataset) -> None:
    if names_column(given):
        raise DataError(
            f"{option}={given!r} names a column, and {dataset.name!r} has none to be named",
            _OBJECT.format(option),
        )
