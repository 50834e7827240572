"""Splits rows so that what belongs together is never on both sides.

Exact duplicates share a fold, and so do the rows of one group (a patient, an
author): a network that saw one of them has seen the others.
"""

from __future__ import annotations

import warnings

import numpy as np
import torch
from torch import Tensor

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.data.duplicates import row_keys
from hcat_nb.errors import DataError


def units(dataset: LabelledDataset) -> np.ndarray:
    """Return one number a row, equal for rows that must share a fold, (n,) int64.

    Rows are joined over both relations: a twin in another group joins the groups.
    """
    keys = row_keys(dataset.features)
    return keys if dataset.groups is None else joined_units(keys, dataset.groups.numpy())


def joined_units(keys: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return one number a row, equal where keys or groups are, over any chain of both: (n,) int64.

    ``keys`` from 0, ``groups`` too, -1 for a row that belongs to none.

    >>> joined_units(np.array([0, 0, 1, 2]), np.array([-1, 5, 5, -1])).tolist()
    [0, 0, 0, 1]
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n_keys, n_groups = int(keys.max()) + 1, int(groups.max()) + 1
    known = groups >= 0  # a row without a group is one of its own
    edges = (np.ones(known.sum()), (keys[known], n_keys + groups[known]))
    size = n_keys + n_groups
    _, joined = connected_components(coo_array(edges, shape=(size, size)), directed=False)
    together: np.ndarray = joined[keys].astype(np.int64)
    return together


def split_rows(dataset: LabelledDataset, k: int, state: int) -> list[tuple[Tensor, Tensor]]:
    """Return positions to learn from and those held out, each once, in ``k`` stratified folds."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    rows = torch.nonzero(dataset.trainable).ravel()
    codes = dataset.labels[rows].numpy()
    together = units(dataset)[rows.numpy()]
    n_units = len(np.unique(together))
    if n_units < k:
        raise DataError(
            f"{k} folds for {n_units} groups of rows that belong together", f"at most {n_units}"
        )
    alone = n_units == len(rows)
    folds = StratifiedKFold if alone else StratifiedGroupKFold
    with warnings.catch_warnings():
        # A class with fewer samples than folds is absent from some of them; a
        # lone sample is then judged by a model without its class (`rare_class`).
        warnings.filterwarnings("ignore", message="The least populated class")
        parts = list(
            folds(k, shuffle=True, random_state=state).split(
                np.zeros(len(codes)), codes, None if alone else together
            )
        )
    return [
        (rows[torch.from_numpy(np.sort(learned))], rows[torch.from_numpy(np.sort(held_out))])
        for learned, held_out in parts
    ]
