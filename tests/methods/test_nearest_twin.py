"""nearest_twin against scikit-learn's neighbours."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.neighbors import NearestNeighbors

from hcat_nb.methods.base import Context
from hcat_nb.methods.nearest_twin import NearestTwin, signed_similarity


def test_it_is_the_signed_cosine_of_the_nearest():
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(80, 6)).astype(np.float32), rng.integers(0, 2, 80)
    found = NearestNeighbors(n_neighbors=2, metric="cosine").fit(x).kneighbors(x)
    expected = 1 - found[0][:, 1]
    expected[labels[found[1][:, 1]] == labels] *= -1
    np.testing.assert_allclose(signed_similarity(x, labels), expected, atol=1e-5)  # float32


def test_a_near_copy_under_another_label_is_hardest():
    rng = np.random.default_rng(1)
    x, labels = rng.normal(size=(60, 5)), np.arange(60) % 3
    x[7] = x[3] + 1e-3
    labels[7], labels[3] = 0, 1
    assert set(np.argsort(-signed_similarity(x, labels))[:2]) == {3, 7}


def test_a_single_sample_has_no_neighbour():
    twin = NearestTwin(space=np.ones((3, 2)))
    twin.begin(Context(torch.tensor([0, -1, -1]), 1, 1))
    assert np.isnan(twin.judge(np.ones((1, 2)), np.zeros(1, int))).all()
    assert twin.unjudged == "no_neighbour"
