"""What a record derives from logits."""

from __future__ import annotations

import numpy as np
import torch

from hcat_nb.observation.record import Need, Observation


def record(logits: torch.Tensor, labels: list[int]) -> Observation:
    return Observation("epoch", 1, torch.arange(len(labels)), torch.tensor(labels), logits)


def test_probabilities_match_numpy_in_float64():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(50, 4)) * 5
    labels = rng.integers(0, 4, 50)
    expected = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    made = record(torch.tensor(logits, dtype=torch.float32), labels.tolist())
    # float32 softmax: a few units in the last of 24 bits
    assert np.allclose(made.probs, expected, atol=1e-6)
    assert np.allclose(made.label_prob, expected[np.arange(50), labels], atol=1e-6)
    assert np.array_equal(made.correct, expected.argmax(1) == labels)


def test_saturated_logits_stay_finite():
    made = record(torch.tensor([[1e4, -1e4]]), [1])
    assert made.label_log_prob.item() == -2e4
    assert made.label_prob.item() == 0


def test_half_precision_logits_are_computed_in_float32():
    made = record(torch.tensor([[1.0, 2.0]], dtype=torch.float16), [0])
    assert made.probs.dtype == torch.float32


def test_quantities_are_kept_apart_by_their_options():
    made = record(torch.zeros(1, 2), [0])
    made.measured = {
        (Need.DROPOUT, (("k", 2),)): torch.zeros(1, 2, 2),
        (Need.DROPOUT, (("k", 3),)): torch.ones(1, 3, 2),
    }
    assert made.take(Need.DROPOUT, (("k", 3),)).shape == (1, 3, 2)
