"""Nearest neighbours against scikit-learn's, and one pass for all that ask."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.neighbors import NearestNeighbors

from hcat_nb.methods import _neighbours
from hcat_nb.methods._neighbours import nearest_rows


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_neighbours_are_those_of_scikit_learn(seed, monkeypatch):
    x = np.random.default_rng(seed).normal(size=(120, 6))
    distances, rows = (
        NearestNeighbors(metric="cosine", algorithm="brute").fit(x).kneighbors(n_neighbors=7)
    )
    monkeypatch.setattr(_neighbours, "_BLOCK", 1000)  # several blocks
    found, far = nearest_rows(x, 7)
    assert np.array_equal(found, rows)
    np.testing.assert_allclose(far, distances, atol=1e-6)  # float32
    some = np.array([90, 3])
    assert np.array_equal(nearest_rows(x, 7, some)[0], rows[some])


def test_exact_duplicates_are_neighbours_and_ties_go_by_position():
    x = np.array([[1.0, 0.0], [0.0, 1.0], [2.0, 0.0], [3.0, 0.0], [0.0, 0.0]])
    rows, distances = nearest_rows(x, 3)
    assert rows[3].tolist() == [0, 2, 1]  # the two duplicates first, by position
    assert distances[3].tolist() == [0, 0, 1]
    assert rows[4].tolist() == [0, 1, 2]  # zeros are at distance 1 from all
    assert distances[4].tolist() == [1, 1, 1]


def test_who_asks_again_gets_the_same_pass_and_other_data_another(monkeypatch):
    made = []
    blocks = _neighbours._blocks
    monkeypatch.setattr(_neighbours, "_blocks", lambda *a: made.append(a) or blocks(*a))
    x = np.random.default_rng(7).normal(size=(50, 4))
    first = nearest_rows(x, 5)
    assert nearest_rows(x.copy(), 5) is first
    assert len(made) == 1
    other = x.copy()
    other[3, 1] += 1e-9
    nearest_rows(other, 5)
    nearest_rows(csr_matrix(x), 5)
    nearest_rows(x, 4)
    assert len(made) == 4
