"""Mean loss against the definition in plain NumPy."""

from __future__ import annotations

import numpy as np
import torch

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
