"""Mean loss against the definition in plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hcat_nb.errors import SpecError
from hcat_nb.methods.loss import Loss, cross_entropy


def test_equals_the_mean_cross_entropy(run, feed, softmax):
    labels, logits = run
    losses = -np.log(softmax(logits)[:, np.arange(len(labels)), labels])
    scores = feed(Loss(), labels, logits).scores().scores
    # A float32 log-softmax of logits about 10 errs by 1e-6.
    np.testing.assert_allclose(scores, losses.mean(0), rtol=0, atol=5e-6)


def test_skipped_epochs_do_not_count(run, feed, softmax):
    labels, logits = run
    losses = -np.log(softmax(logits)[:, np.arange(len(labels)), labels])
    scored = feed(Loss(), labels, logits, skipped={2: [0], 3: [0]}).scores()
    np.testing.assert_allclose(scored.scores[0], losses[[0, 3, 4], 0].mean(), atol=5e-6)
    assert scored.status[0] == "3_of_5_epochs"


def test_confidently_wrong_is_large_and_finite():
    logits = torch.tensor([[1e4, 0.0]])
    assert cross_entropy(logits.log_softmax(1), torch.tensor([1])).item() == 1e4


def test_cnlcu_is_the_lower_bound_of_the_truncated_mean(run, feed, softmax):
    labels, logits = run
    losses = -np.log(softmax(logits)[:, np.arange(len(labels)), labels])
    skipped = {2: [0], 3: [0, 1]}
    count = np.full(len(labels), 5.0)
    count[[0, 1]] = 3, 4
    damped = np.log(1 + losses + losses**2 / 2)
    damped[1, 0] = damped[2, 0] = damped[2, 1] = 0
    s2, t = 0.1, 5
    width = s2 * (t + s2 * np.log(2 * t) / t**2) / (count - s2)
    method = feed(Loss(variant="cnlcu", variance=s2), labels, logits, skipped=skipped)
    # A float32 log-softmax of logits about 10 errs by 1e-6.
    expected = damped.sum(0) / count - width
    np.testing.assert_allclose(method.scores().scores, expected, rtol=0, atol=5e-6)


def test_cnlcu_gives_a_rarely_seen_sample_the_benefit_of_the_doubt(feed):
    logits = np.zeros((4, 2, 2))
    method = Loss(variant="cnlcu", variance=0.5)
    scores = feed(method, np.array([0, 0]), logits, skipped={1: [1], 2: [1]}).scores().scores
    assert scores[1] < scores[0]


@pytest.mark.parametrize("options", [{"variant": "hcat"}, {"variance": 1.0}, {"variance": "0.1"}])
def test_option_out_of_range(options):
    with pytest.raises(SpecError, match=r"loss\.(variant|variance) is .*expected"):
        Loss(**options)
