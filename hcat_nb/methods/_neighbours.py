"""Nearest neighbours by cosine distance: exact, in blocks, made once for all that ask.

Several methods look at the neighbours of the same samples in the same space;
what was found last is kept until another space is asked for, or released.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np

from hcat_nb.methods._judge import Matrix

K = 10  # neighbours that who needs fewer asks for, too: so all share one pass
_last: list[tuple[bytes, tuple[np.ndarray, np.ndarray]]] = []  # one entry at most

_BLOCK = 2**23  # similarities at a time: 64 MB with their keys
_DIGITS = 10**6


def nearest_rows(
    features: Matrix, k: int, queries: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the k nearest neighbours of rows by cosine distance, nearest first.

    Parameters
    ----------
    features : array or CSR matrix of shape (n, d)
    k : int
        Neighbours; fewer where there are no more than n - 1.
    queries : array of shape (q,), int64, optional
        Whose neighbours; default: all rows'.

    Returns
    -------
    rows : array of shape (q, min(k, n - 1)), int64
        Never the query itself; equal distances (to six digits) are ranked by position.
    distances : array of the same shape, float32
        In [0, 2]; 1 where a row is all zeros.

    Examples
    --------
    >>> rows, distances = nearest_rows(np.array([[1.0, 0], [0, 1], [2, 0], [1, 1]]), 2)
    >>> rows[0].tolist(), distances[0].round(2).tolist()
    ([2, 3], [0.0, 0.29])
    """
    from sklearn.preprocessing import normalize

    n = features.shape[0]
    k = min(k, n - 1)
    queries = np.arange(n) if queries is None else queries
    if k < 1:
        return np.empty((len(queries), 0), np.int64), np.empty((len(queries), 0), np.float32)
    key = _digest(features, queries, k)
    if not _last or _last[0][0] != key:
        unit = normalize(features)
        parts = list(_blocks(unit, queries, k))
        rows = np.concatenate([rows for rows, _ in parts])
        _last[:] = [(key, (rows, np.concatenate([distances for _, distances in parts])))]
    return _last[0][1]


def _digest(features: Matrix, queries: np.ndarray, k: int) -> bytes:
    parts = (
        [features]
        if isinstance(features, np.ndarray)
        else [features.indptr, features.indices, features.data]
    )
    found = hashlib.blake2b(f"{features.shape} {k}".encode(), digest_size=32)
    for part in (*parts, queries):
        found.update(np.ascontiguousarray(part).data)
    return found.digest()


def _blocks(unit: Matrix, queries: np.ndarray, k: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    from sklearn.utils.extmath import safe_sparse_dot

    n = unit.shape[0]
    across = unit.T
    place = np.arange(n)
    for some in np.array_split(queries, max(1, -(-len(queries) * n // _BLOCK))):
        distance = 1 - safe_sparse_dot(unit[some], across, dense_output=True)
        # One whole number for distance and position: who is nearest has no ties.
        key = np.rint(distance * _DIGITS).astype(np.int64) * n + place
        key[np.arange(len(some)), some] = np.iinfo(np.int64).max
        found = np.argpartition(key, k - 1, axis=1)[:, :k]
        order = np.take_along_axis(key, found, axis=1).argsort(axis=1)
        rows = np.take_along_axis(found, order, axis=1)
        nearest = np.take_along_axis(distance, rows, axis=1)
        yield rows, nearest.clip(0, 2).astype(np.float32)
