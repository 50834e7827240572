"""EL2N against the definition in plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hcat_nb.errors import SpecError
from hcat_nb.methods.base import Context
from hcat_nb.methods.el2n import EL2N, error_norm


@pytest.fixture
def norms(run, softmax) -> np.ndarray:
    labels, logits = run
    return np.linalg.norm(softmax(logits) - np.eye(4)[labels], axis=2)


def test_mean_over_epochs(run, feed, norms):
    scores = feed(EL2N(), *run).scores().scores
    # Probabilities are float32: 1e-7 of values up to sqrt(2).
    np.testing.assert_allclose(scores, norms.mean(0), rtol=0, atol=5e-7)


@pytest.mark.parametrize("at", [1, 3, 5])
def test_one_epoch(run, feed, norms, at):
    scored = feed(EL2N(at=at), *run).scores()
    np.testing.assert_allclose(scored.scores, norms[at - 1], rtol=0, atol=5e-7)
    assert not any(scored.status)


def test_skipped_in_the_one_epoch_that_counts(run, feed):
    scored = feed(EL2N(at=3), *run, skipped={3: [4]}).scores()
    assert scored.status[4] == "0_of_1_epochs"
    assert scored.scores[4].isnan()


def test_two_classes_are_root_two_times_the_doubt():
    p = torch.tensor([0.2, 0.9])
    norm = error_norm(torch.stack([p, 1 - p], dim=1), torch.zeros(2, dtype=torch.int64))
    np.testing.assert_allclose(norm, np.sqrt(2) * (1 - p.numpy()), rtol=1e-6)  # float32


@pytest.mark.parametrize("at", [0, -1, 1.5, "3", True])
def test_epoch_that_is_none(at):
    with pytest.raises(SpecError, match=r"el2n.at is .*expected an epoch"):
        EL2N(at=at)


def test_epoch_after_the_last_is_refused_before_training():
    with pytest.raises(SpecError, match=r"el2n.at is 6.*at most 5"):
        EL2N(at=6).begin(Context(torch.zeros(3, dtype=torch.int64), 2, 5))


def test_hcat_squares_the_last_epochs_norm(run, feed, norms):
    scores = feed(EL2N(variant="hcat"), *run).scores().scores
    np.testing.assert_allclose(scores, norms[-1] ** 2, rtol=0, atol=1e-6)
    earlier = feed(EL2N(variant="hcat", at=2), *run).scores().scores
    np.testing.assert_allclose(earlier, norms[1] ** 2, rtol=0, atol=1e-6)
