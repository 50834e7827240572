"""knn_ood against scikit-learn's neighbours."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from hcat_nb.errors import SpecError
from hcat_nb.methods.knn_ood import KnnOod


@pytest.mark.parametrize("k", [1, 5])
def test_it_is_the_distance_to_the_kth_neighbour(k):
    x = np.random.default_rng(0).normal(size=(70, 6)).astype(np.float32)
    far, _ = NearestNeighbors(n_neighbors=k + 1, metric="cosine").fit(x).kneighbors(x)
    found = KnnOod(k=k).judge(x, np.zeros(70, int))
    np.testing.assert_allclose(found, far[:, k], atol=1e-5)  # float32


def test_labels_do_not_matter_and_few_rows_have_a_last_neighbour():
    x = np.random.default_rng(0).normal(size=(4, 3))
    one, other = (KnnOod(k=10).judge(x, labels) for labels in (np.zeros(4), np.arange(4)))
    assert np.array_equal(one, other)
    assert np.isfinite(one).all()
    assert np.isnan(KnnOod().judge(x[:1], np.zeros(1))).all()


def test_no_neighbour_is_refused():
    with pytest.raises(SpecError, match=r"knn_ood\.k is 0"):
        KnnOod(k=0)
