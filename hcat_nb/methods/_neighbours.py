"""Nearest neighbours by cosine distance: exact, in blocks, made once for all that ask.

Several methods look at the neighbours of the same samples in the same space;
what was found last is kept until another space is asked for, or released.
"""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Iterator

import numpy as np

from hcat_nb.errors import SpecError
from hcat_nb.methods._judge import Judge, Matrix

K = 10  # neighbours that who needs fewer asks for, too: so all share one pass
_last: list[tuple[bytes, tuple[np.ndarray, np.ndarray]]] = []  # one entry at most

_BLOCK = 2**23  # similarities at a time: 64 MB with their keys
_DIGITS = 10**6


def nearest_rows(
    features: Matrix, k: int, queries: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the k nearest neighbours of rows by cosine distance, nearest first.

    Rows and distances (float32, in [0, 2]) have the shape (q, min(k, n - 1)); the query itself is
    not among them. Equal distances (to six digits) are ranked by position; a row of zeros is at
    distance 1 from all. ``queries`` are positions, by default all.

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


class NeighbourJudge(Judge):
    """A judge by the nearest neighbours, of which a lone row has none."""

    k: int = K

    def __post_init__(self) -> None:
        super().__post_init__()
        if type(self.k) is not int or self.k < 1:
            raise SpecError(f"{self.name}.k is {self.k!r}", "at least 1 neighbour")

    @property
    def unjudged(self) -> str:
        """Why a row has no score."""
        return "no_neighbour"

    def judge(self, features: Matrix, labels: np.ndarray) -> np.ndarray:
        """Return a score for each row; NaN for one that is alone."""
        return self.among(features, labels) if len(labels) > 1 else np.full(len(labels), np.nan)

    @abstractmethod
    def among(self, features: Matrix, labels: np.ndarray) -> np.ndarray:
        """Return a score for each of m > 1 rows, higher = harder."""


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
