"""What held-out rows say of a network, on planted cases."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest

from hcat_nb.evaluation.learning_check import check_learning, memorised, undecided


def _probs(labels: np.ndarray, accuracy: float, sure: float, n: int, seed: int = 0) -> np.ndarray:
    """Return probabilities whose argmax is the label in a share of the rows."""
    rng = np.random.default_rng(seed)
    said = labels.copy()
    wrong = rng.random(len(labels)) > accuracy
    said[wrong] = (labels[wrong] + rng.integers(1, n, wrong.sum())) % n
    probs = np.full((len(labels), n), (1 - sure) / (n - 1))
    probs[np.arange(len(labels)), said] = sure
    return probs


def _check(
    accuracy: float, train: float, sure: float = 0.9, m: int = 300, **more: object
) -> object:
    labels = np.random.default_rng(1).integers(0, 4, m)
    rising = [train] * 10
    return check_learning(
        _probs(labels, accuracy, sure, 4), labels, np.full(4, 0.25), train,
        more.pop("accuracies", rising), **more,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("accuracy", "train", "more", "state"),
    [
        (0.25, 0.30, {}, "not_learned"),
        (0.25, 1.00, {"sure": 0.999}, "not_learned"),  # memorised shuffled labels
        (0.60, 1.00, {"sure": 0.999}, "memorised"),  # too sure, and yet it tells something
        (0.60, 0.65, {}, "learned"),
        (0.99, 1.00, {"n_doubted": 0}, "nothing_to_find"),
        (0.99, 1.00, {"n_doubted": 4}, "learned"),
        (0.70, 0.70, {"accuracies": [0.1 * k for k in range(1, 9)]}, "still_rising"),
        (0.70, 0.70, {"accuracies": [0.7]}, "still_rising"),
        (0.70, 0.70, {"m": 20}, "not_known"),
        (0.70, 0.70, {"all_equal": True}, "not_learned"),
    ],
)
def test_each_planted_case_has_its_state(
    accuracy: float, train: float, more: dict[str, Any], state: str
) -> None:
    found = _check(accuracy, train, **more)
    assert found.state == state
    assert bool(found.sentence) == (state != "learned")
    assert found.withholds == (state == "not_learned")
    assert json.loads(json.dumps(asdict(found), allow_nan=False))["state"] == state


def test_the_gain_is_that_of_the_log_loss_over_frequencies() -> None:
    """With probabilities that are true, recalibrating changes nothing."""
    rng = np.random.default_rng(0)
    probs = rng.dirichlet(np.ones(3), 4000)
    labels = (probs.cumsum(1) < rng.random((4000, 1))).sum(1)
    prior = np.bincount(labels) / 4000
    found = check_learning(probs, labels, prior, 0.6, [0.6] * 4)
    plain = np.log(probs[np.arange(4000), labels]) - np.log(prior[labels])
    # two fitted weights, of 4,000 rows: the mean moves by less than its standard error of .01
    assert found.figures["gain"] == pytest.approx(plain.mean(), abs=0.01)


@pytest.mark.parametrize("seed", range(20))
def test_noise_is_rarely_taken_for_learning(seed: int) -> None:
    """One bound in twenty may be above zero by chance; these twenty are fixed, and none is."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 5, 140)
    probs = rng.dirichlet(np.ones(5) * 0.3, 140)
    found = check_learning(probs, labels, np.full(5, 0.2), 0.9, [0.9] * 10)
    assert found.state == "not_learned"


def test_few_rows_that_cannot_tell_are_no_proof_of_nothing() -> None:
    """36 rows, three classes, seven in ten predicted: nine of twenty were called not learned."""
    states, by_chance = [], []
    for seed in range(20):
        labels, prior = np.random.default_rng(seed).integers(0, 3, 36), np.full(3, 1 / 3)
        probs = _probs(labels, 0.7, 0.9, 3, seed)
        found = check_learning(probs, labels, prior, 0.8, [0.8] * 9)
        states.append(found.state)
        if found.state == "not_known":
            assert "too few to tell" in found.sentence
            assert undecided(probs, labels, prior)
        chance = _probs(labels, 1 / 3, 0.9, 3, seed)
        by_chance.append(check_learning(chance, labels, prior, 0.8, [0.8] * 9).state)
    assert states.count("not_known") > 2
    # Both bounds are of 95 %: one in twenty may be beyond.
    assert states.count("not_learned") <= 1
    assert by_chance.count("not_learned") >= 19


def test_classes_of_five_percent_are_told_from_none() -> None:
    rng = np.random.default_rng(0)
    labels = (rng.random(400) < 0.05).astype(int)
    signal = np.where(labels == 1, 0.5, 0.02)
    probs = np.stack([1 - signal, signal], axis=1)
    prior = np.array([0.95, 0.05])
    assert check_learning(probs, labels, prior, 0.96, [0.96] * 9).state == "learned"
    flat = np.tile(prior, (400, 1))
    assert check_learning(flat, labels, prior, 0.95, [0.95] * 9).state == "not_learned"


def test_a_gap_of_chance_is_no_memory() -> None:
    assert not memorised(1.0, np.array([True] * 3 + [False]))
    assert memorised(1.0, np.arange(100) % 2 == 0)
    assert not memorised(0.6, np.arange(100) % 2 == 0)
    assert not memorised(1.0, np.zeros(0, dtype=bool))
