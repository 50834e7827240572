"""Exact duplicates: samples of which a dataset holds the same features more than once."""

from __future__ import annotations

import hashlib
import math
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor

from hcat_nb.data.dataset import NO_LABEL, LabelledDataset
from hcat_nb.errors import DataError

_BLOCK = 2**22  # values made ready for hashing at a time


def duplicates(dataset: LabelledDataset) -> pd.DataFrame:
    """List the samples whose features are exactly those of another sample.

    Two samples are duplicates if all that the dataset holds about them, but
    for label and id, is equal: the features (two missing values are equal, as
    are 0 and -0) and, where a table keeps its columns as they were given, these too,
    so that neither an imputed number nor a bag of equal words makes a twin.

    Parameters
    ----------
    dataset : LabelledDataset
        Unreadable rows take part only where the table keeps its columns.

    Returns
    -------
    pandas.DataFrame
        One row a sample that has a twin, members of a group together, groups
        of conflicting labels first, then in the order of the dataset.  Index
        ``sample_id`` (and a column ``position`` where ids repeat); ``group``
        (from 0), ``size`` of the group, ``label``, ``conflict`` (bool: the
        group has two or more labels; a missing label contradicts none).

    Raises
    ------
    DataError
        If ``dataset`` is not a LabelledDataset.

    Notes
    -----
    Cost O(n d): each row's bytes are hashed (BLAKE2b, 128 bits: that two of a
    billion different rows share a hash has odds below 1e-20).  Memory beside
    the data: about a hundred bytes a row.

    Examples
    --------
    >>> from hcat_nb.data.loading import load
    >>> data = load([[0.0], [1.0], [0.0], [2.0]], ["oak", "elm", "elm", "oak"])
    >>> print(duplicates(data))
               group  size label  conflict
    sample_id
    0              0     2   oak      True
    2              0     2   elm      True
    """
    if not isinstance(dataset, LabelledDataset):
        raise DataError(
            f"the dataset is a {type(dataset).__name__}", "a LabelledDataset", "hcat.load(...)"
        )
    rows = np.arange(len(dataset))
    if dataset.original is None:
        rows = rows[dataset.readable.numpy()]
    keys = row_keys(dataset.features)
    if dataset.original is not None:
        keys = _refined(keys, dataset.original)
    groups = pd.DataFrame({"key": keys[rows], "code": dataset.labels.numpy()[rows]}, index=rows)
    size = groups.groupby("key")["key"].transform("size")
    groups = groups.assign(size=size)[size > 1]
    labelled = groups["code"].where(groups["code"] != NO_LABEL)
    groups["conflict"] = labelled.groupby(groups["key"]).transform("nunique") > 1
    groups["first"] = groups.index.to_series().groupby(groups["key"]).transform("min")
    groups = groups.sort_values(["conflict", "first"], ascending=[False, True], kind="stable")
    ids = dataset.sample_ids.rename("sample_id")
    places: dict[str, Any] = {} if ids.is_unique else {"position": groups.index.to_numpy()}
    return pd.DataFrame(
        {
            **places,
            "group": pd.factorize(groups["first"])[0],
            "size": groups["size"].to_numpy(),
            "label": dataset.label_values(groups["code"].to_numpy()),
            "conflict": groups["conflict"].to_numpy(),
        },
        index=ids[groups.index],
    )


def row_keys(features: Tensor) -> np.ndarray:
    """Return one integer a row, from 0, equal where the rows are: (n,) int64."""
    digests = bytearray()
    step = max(1, _BLOCK // max(1, math.prod(features.shape[1:])))
    for start in range(0, len(features), step):
        block = features[start : start + step].flatten(1).numpy()
        if block.dtype.kind == "f":
            block = block + 0.0  # of -0 makes 0, which has other bytes
        for row in np.ascontiguousarray(block):
            digests += hashlib.blake2b(row, digest_size=16).digest()
    halves = np.frombuffer(digests, dtype=np.uint64).reshape(-1, 2)
    return joined_keys(pd.factorize(halves[:, 0])[0], pd.factorize(halves[:, 1])[0])


def _refined(keys: np.ndarray, frame: pd.DataFrame) -> np.ndarray:
    """Return the keys told further apart by each column; a missing value is a value."""
    for column in range(frame.shape[1]):
        values = frame.iloc[:, column]
        keys = joined_keys(keys, pd.factorize(values, use_na_sentinel=True)[0] + 1)
    return keys


def joined_keys(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return one integer for each pair of integers below n + 1: exact, no hash."""
    pairs = first.astype(np.int64) * (int(second.max(initial=0)) + 1) + second
    codes: np.ndarray = pd.factorize(pairs)[0]
    return codes.astype(np.int64)
