"""VoG against NumPy over all gradients at once."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from hcat_nb.errors import SpecError
from hcat_nb.methods.base import Context
from hcat_nb.methods.vog import VoG, evenly_spaced, standardised_within_class
from hcat_nb.observation.record import Need, Observation

LABELS = np.arange(60) % 3


def played(method: VoG, gradients: np.ndarray, *, skipped: dict | None = None) -> VoG:
    """Let ``method`` see gradients (E, n, ...), but for the rows ``skipped`` in an epoch."""
    n_epochs, n = gradients.shape[:2]
    labels = torch.from_numpy(LABELS[:n])
    method.begin(Context(labels, 3, n_epochs))
    key = (Need.INPUT_GRADIENTS, method.options(Need.INPUT_GRADIENTS))
    for epoch in filter(method.due, range(1, n_epochs + 1)):
        out = (skipped or {}).get(epoch, [])
        seen = torch.tensor([row for row in range(n) if row not in out])
        for rows in seen.split(13):
            measured = {key: torch.from_numpy(gradients[epoch - 1]).float()[rows]}
            method.observe(
                Observation("epoch", epoch, rows, labels[rows], torch.zeros(len(rows), 3), measured)
            )
    return method


@pytest.fixture
def gradients() -> np.ndarray:
    """Gradients (E, n, channels, height, width), exact in float32; some elements far from 0."""
    rng = np.random.default_rng(0)
    spread = rng.uniform(0.1, 3, (1, 60, 1, 1, 1))
    made = rng.normal(0, 1, (10, 60, 2, 3, 4)) * spread + rng.normal(0, 5, (60, 2, 3, 4))
    return made.astype(np.float32).astype(float)


def variation(gradients: np.ndarray) -> np.ndarray:
    return gradients.std(0).reshape(gradients.shape[1], -1).mean(1)


def standardised(values: np.ndarray) -> np.ndarray:
    made = np.empty_like(values)
    for code in range(3):
        here = np.equal(LABELS, code)
        made[here] = (values[here] - values[here].mean()) / values[here].std()
    return made


@pytest.mark.parametrize(
    ("checkpoints", "epochs"),
    [("five", [2, 4, 6, 8, 10]), ("all", range(1, 11)), ([9, 3, 1], [1, 3, 9])],
)
def test_mean_deviation_standardised_within_class(gradients, checkpoints, epochs):
    method = played(VoG(checkpoints=checkpoints), gradients)
    taken = gradients[np.array(epochs) - 1]
    # Welford in float32, values up to 20
    np.testing.assert_allclose(method.variation(), variation(taken), rtol=2e-6)
    expected = standardised(variation(taken))
    # standardising takes away a mean that is some times the deviation
    np.testing.assert_allclose(method.scores().scores, expected, rtol=0, atol=2e-5)


def test_hcat_reads_three_epochs_does_not_standardise_and_calls_low_hard(gradients):
    method = played(VoG(variant="hcat"), gradients)
    taken = variation(gradients[[0, 2, 4]])
    np.testing.assert_allclose(method.raw(), taken, rtol=2e-6)
    np.testing.assert_allclose(method.scores().scores, -taken, rtol=2e-6)
    assert VoG().hard_when == "high"


def test_streaming_keeps_a_small_deviation_far_from_zero():
    rng = np.random.default_rng(1)
    made = (1000 + rng.normal(0, 1, (50, 6, 4))).astype(np.float32).astype(float)
    method = played(VoG(checkpoints="all"), made)
    # A sum of squares in float32 would be off by .1: 1e6 has 24 bits.
    np.testing.assert_allclose(method.variation(), variation(made), rtol=1e-3)


def test_a_class_without_spread_gets_zero():
    values = torch.tensor([2.0, 2.0, 5.0, 1.0, torch.nan])
    labels = torch.tensor([0, 0, 1, 2, 2])
    made = standardised_within_class(values, labels, 4)
    assert made[:4].tolist() == [0, 0, 0, 0]
    assert made[4].isnan()


@pytest.mark.parametrize("n_epochs", range(1, 60))
def test_five_evenly_spaced_epochs(n_epochs):
    expected = sorted({math.ceil(n_epochs * k / 5) for k in range(1, 6)})
    assert evenly_spaced(n_epochs) == tuple(expected)


def test_rows_with_a_single_checkpoint_have_no_variation_and_do_not_count(gradients):
    skipped = {2: [0], 4: [0, 1], 6: [0, 1], 8: [0, 1], 10: [1]}
    scored = played(VoG(), gradients, skipped=skipped).scores()
    assert scored.status[:3] == ["1_of_5_epochs", "1_of_5_epochs", ""]
    assert scored.scores.isnan().nonzero().ravel().tolist() == [0, 1]
    of_class = scored.scores[torch.from_numpy(LABELS) == 0][1:]
    assert of_class.mean().item() == pytest.approx(0, abs=1e-6)


def test_a_run_that_was_stopped_after_one_checkpoint_says_so(gradients):
    method = VoG()
    method.begin(Context(torch.from_numpy(LABELS), 3, 10))
    key = (Need.INPUT_GRADIENTS, method.options(Need.INPUT_GRADIENTS))
    rows = torch.arange(60)
    measured = {key: torch.from_numpy(gradients[0]).float()}
    method.observe(Observation("epoch", 2, rows, rows % 3, torch.zeros(60, 3), measured))
    scored = method.scores()
    assert scored.scores.isnan().all()
    assert set(scored.status) == {"1_of_5_epochs"}


def test_options_reach_the_observer():
    key = Need.INPUT_GRADIENTS
    assert VoG().options(key) == (("target", "label"), ("of", "logit"))
    assert VoG(target="predicted", variant="hcat").options(key) == (
        ("target", "predicted"),
        ("of", "softmax"),
    )


@pytest.mark.parametrize(
    "options",
    [
        {"checkpoints": "some"},
        {"checkpoints": [3]},
        {"checkpoints": [3, 3]},
        {"checkpoints": [0, 3]},
        {"checkpoints": [1.0, 3]},
        {"checkpoints": 5},
        {"target": "worst"},
        {"variant": "h-cat"},
    ],
)
def test_option_out_of_range(options):
    with pytest.raises(SpecError, match=r"vog\.(checkpoints|target|variant) is .*expected"):
        VoG(**options)


@pytest.mark.parametrize(
    ("options", "n_epochs", "message"),
    [
        ({}, 1, r"epochs=1 gives it 1; expected epochs=2 or more; .*--methods"),
        ({"variant": "hcat"}, 2, r"epochs=2 gives it 1; expected epochs=3 or more"),
        ({"checkpoints": [1, 12]}, 10, r"names epoch 12; expected at most 10"),
    ],
)
def test_a_run_that_is_too_short_is_refused_before_training(options, n_epochs, message):
    with pytest.raises(SpecError, match=message):
        VoG(**options).begin(Context(torch.zeros(4, dtype=torch.int64), 1, n_epochs))
