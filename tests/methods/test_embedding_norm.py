"""embedding_norm against NumPy, in its direction."""

from __future__ import annotations

import numpy as np
import torch
from scipy.sparse import csr_matrix

from hcat_nb.methods.base import Context
from hcat_nb.methods.embedding_norm import EmbeddingNorm


def test_it_is_the_length_of_the_row():
    x = np.random.default_rng(0).normal(size=(20, 4))
    norms = EmbeddingNorm().judge(x, np.zeros(20))
    np.testing.assert_allclose(norms, np.linalg.norm(x, axis=1))
    np.testing.assert_allclose(EmbeddingNorm().judge(csr_matrix(x), np.zeros(20)), norms)


def test_a_short_one_is_hard():
    space = np.array([[3.0, 4.0], [0.1, 0.0], [1.0, 1.0]])
    norm = EmbeddingNorm(space=space)
    norm.begin(Context(torch.zeros(3, dtype=torch.int64), 1, 1))
    from hcat_nb.observation.record import Need, Observation

    rows = torch.arange(3)
    shown = {(Need.FEATURES, ()): torch.zeros(3, 2)}
    norm.observe(Observation("data", 1, rows, norm.context.labels, torch.zeros(3, 0), shown))
    assert norm.scores().scores.argsort(descending=True).tolist() == [1, 2, 0]
