"""Neighbours' labels against the definition in plain NumPy and scikit-learn's neighbours."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from hcat_nb.errors import SpecError
from hcat_nb.methods.knn_label import KnnLabel


def by_definition(x: np.ndarray, labels: np.ndarray, k: int) -> list[float]:
    """Walk over all pairs, one row after the other."""
    found = []
    for i in range(len(x)):
        lengths = np.linalg.norm(x, axis=1) * np.linalg.norm(x[i])
        distance = 1 - x @ x[i] / np.where(lengths == 0, 1, lengths)
        others = [j for j in range(len(x)) if j != i]
        others.sort(key=lambda j: (round(distance[j], 6), j))
        weights = [1 / (1 + rank) for rank in range(len(others[:k]))]
        wrong = [labels[j] != labels[i] for j in others[:k]]
        found.append(np.dot(weights, wrong) / np.sum(weights))
    return found


@pytest.fixture(params=[0, 1, 2])
def world(request):
    rng = np.random.default_rng(request.param)
    labels = rng.integers(0, 3, 150)
    return rng.normal(size=(150, 6)) + rng.normal(size=(3, 6))[labels], labels


@pytest.mark.parametrize("k", [1, 10, 1000])
def test_equals_the_definition(world, k):
    x, labels = world
    np.testing.assert_allclose(KnnLabel(k=k).judge(x, labels), by_definition(x, labels, k))


def test_sparse_rows_are_judged_as_dense_ones(world):
    x, labels = world
    x[np.abs(x) < 1.5] = 0
    found = KnnLabel().judge(csr_matrix(x), labels)
    np.testing.assert_allclose(found, KnnLabel().judge(x, labels))
    np.testing.assert_allclose(found, by_definition(x, labels, 10))


def test_duplicates_under_another_label_count():
    x = np.array([[1.0, 0.0], [0.0, 1.0], [2.0, 0.0], [3.0, 0.0], [0.0, 0.0]])
    # 1, 1/2 of 1 + 1/2: the two duplicates of row 3.
    assert KnnLabel(k=2).judge(x, np.array([0, 1, 0, 1, 1]))[3] == 1


def test_nobody_is_near_a_lone_row():
    assert np.isnan(KnnLabel().judge(np.ones((1, 2)), np.array([0]))).all()


@pytest.mark.parametrize("k", [0, -1, 2.0, True, "3"])
def test_k_is_a_number_of_neighbours(k):
    with pytest.raises(SpecError, match=r"knn_label\.k is"):
        KnnLabel(k=k)
