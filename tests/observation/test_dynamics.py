"""The coordinates of the data map, against plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hcat_nb.observation.dynamics import MapDynamics
from hcat_nb.observation.record import Observation

N, C, E = 120, 4, 5


@pytest.fixture
def logits() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(E, N, C)) * 4


@pytest.fixture
def labels() -> np.ndarray:
    return np.random.default_rng(1).integers(0, C, N)


def feed(logits: np.ndarray, labels: np.ndarray, batch: int = 50) -> MapDynamics:
    codes = torch.tensor(labels)
    dynamics = MapDynamics(codes, C)
    for epoch, at in enumerate(logits, start=1):
        for rows in torch.randperm(N, generator=torch.Generator().manual_seed(epoch)).split(batch):
            dynamics.observe(
                Observation(
                    "epoch",
                    epoch,
                    rows,
                    codes[rows].clamp(min=0),
                    torch.tensor(at[rows.numpy()], dtype=torch.float32),
                )
            )
    return dynamics


def test_coordinates_are_those_of_the_papers(logits, labels):
    probs = np.exp(logits) / np.exp(logits).sum(2, keepdims=True)
    p = probs[:, np.arange(N), labels]
    here = feed(logits, labels).snapshot(E)
    # float32 accumulators over five epochs
    assert np.allclose(here.confidence, p.mean(0), atol=1e-6)
    assert np.allclose(here.variability, p.std(0), atol=1e-6)
    assert np.allclose(here.aleatoric, (p * (1 - p)).mean(0), atol=1e-6)
    assert np.allclose(here.correctness, (probs.argmax(2) == labels).mean(0))
    assert np.allclose(here.mean_loss, -np.log(p).mean(0), rtol=1e-5)


def test_variability_obeys_its_bound(logits, labels):
    here = feed(logits, labels).snapshot(E)
    bound = np.sqrt(here.confidence * (1 - here.confidence))
    assert (here.variability <= bound + 1e-6).all()


def test_the_best_other_class_has_the_largest_mean_probability_but_the_labels(logits, labels):
    mean = (np.exp(logits) / np.exp(logits).sum(2, keepdims=True)).mean(0)
    mean[np.arange(N), labels] = 0
    assert np.allclose(feed(logits, labels).best_other(), mean.max(1), atol=1e-6)


def test_accuracy_is_that_of_the_last_epoch_over_labelled_rows(logits, labels):
    labels = np.where(np.arange(N) % 10 == 0, -1, labels)
    known = labels >= 0
    expected = (logits[-1].argmax(1) == labels)[known].mean()
    assert feed(logits, labels).accuracy() == pytest.approx(expected)


def test_rows_without_a_label_or_an_observation_are_nan(logits, labels):
    labels = labels.copy()
    labels[3] = -1
    assert np.isnan(feed(logits, labels).snapshot(E).confidence[3])
    never = MapDynamics(torch.tensor(labels), C)
    assert np.isnan(never.snapshot(0).mean_loss).all()


def test_a_snapshot_is_never_written_again(logits, labels):
    dynamics = feed(logits[:2], labels)
    early = dynamics.snapshot(2)
    before = early.confidence.copy()
    dynamics.observe(
        Observation(
            "epoch", 3, torch.arange(N), torch.tensor(labels), torch.tensor(logits[2]).float()
        )
    )
    assert np.array_equal(early.confidence, before)


def test_the_last_loss_is_that_of_the_last_epoch(logits, labels):
    probs = np.exp(logits) / np.exp(logits).sum(2, keepdims=True)
    expected = -np.log(probs[-1, np.arange(N), labels])
    dynamics = feed(logits, labels)
    # A float32 log-softmax of logits about 10 errs by 1e-6.
    assert np.allclose(dynamics.last_losses(), expected, rtol=1e-5, atol=5e-6)
    assert np.isnan(MapDynamics(torch.tensor(labels), C).last_losses()).all()


def test_of_the_labels_probability_alone_classes_are_not_known(logits, labels):
    probs = np.exp(logits) / np.exp(logits).sum(2, keepdims=True)
    p = torch.tensor(probs[:, np.arange(N), labels], dtype=torch.float32)
    dynamics = MapDynamics(torch.tensor(labels), C, label_only=True)
    for epoch, at in enumerate(p, start=1):
        two = torch.stack([at, 1 - at], dim=1).log()
        zeros = torch.zeros(N, dtype=torch.int64)
        dynamics.observe(Observation("epoch", epoch, torch.arange(N), zeros, two))
    here, whole = dynamics.snapshot(E), feed(logits, labels).snapshot(E)
    for name in ("confidence", "variability", "aleatoric", "mean_loss"):
        assert np.allclose(getattr(here, name), getattr(whole, name), rtol=1e-5, atol=1e-6)
    assert np.isnan(here.correctness).all()
    assert dynamics.best_other() is None
    assert np.isnan(dynamics.accuracy())


def test_one_look_of_several_epochs_has_no_variability(logits, labels):
    dynamics = MapDynamics(torch.tensor(labels), C)
    for epoch, rows in ((1, torch.arange(N)), (2, torch.arange(1, N))):
        at = torch.tensor(logits[epoch - 1], dtype=torch.float32)[rows]
        dynamics.observe(Observation("epoch", epoch, rows, torch.tensor(labels)[rows], at))
    assert np.isnan(dynamics.snapshot(2).variability).tolist() == [True] + [False] * (N - 1)
    assert not np.isnan(dynamics.snapshot(2).confidence).any()


def test_narrowed_to_some_samples_it_is_what_they_are(logits, labels):
    labels[4] = -1
    whole, rows = feed(logits, labels), torch.tensor([3, 4, 60, 7])
    accuracy = whole.accuracy()
    right, known = whole.right()
    assert (right / known, known) == (accuracy, N - 1)
    before = whole.snapshot(E).confidence
    whole.narrow(rows)
    assert np.array_equal(whole.snapshot(E).confidence, before[rows.numpy()], equal_nan=True)
    assert whole.right()[1] == 3
