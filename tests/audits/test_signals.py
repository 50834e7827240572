"""Signals of a run: ranks among unplanted rows, and the trajectory, against plain definitions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import rankdata

import hcat_nb as hcat
from hcat_nb.audits.signals import MOMENTS, ranks, signals_of


@pytest.fixture(scope="module")
def run():
    return hcat.characterize(
        "wine", methods="aum el2n", epochs=5, keep_dynamics="logits", folds="0", seed=0
    )


def test_ranks_are_scipys():
    score = np.random.default_rng(0).integers(0, 9, 60).astype(float)
    expected = (rankdata(score) - 0.5) / 60
    np.testing.assert_allclose(ranks(score, np.ones(60, bool)), expected)


def test_a_planted_row_is_placed_among_the_others():
    score, among = np.array([1.0, 2.0, 9.0, np.nan]), np.array([True, True, False, True])
    assert ranks(score, among).tolist() == [0.25, 0.75, 1.0, 0.5]


def test_the_trajectory_is_that_of_the_label_and_the_best_other(run):
    signals = signals_of(run, run.dataset)
    labels = run.details["label"].cat.codes.to_numpy()
    p = softmax(run.logits.epoch(5).drop(columns="position").to_numpy(), axis=1)
    each = np.arange(len(p))
    np.testing.assert_allclose(signals.trajectory[:, MOMENTS - 1], p[each, labels], atol=1e-6)
    p[each, labels] = 0
    np.testing.assert_allclose(signals.trajectory[:, -1], p.max(axis=1), atol=1e-6)
    np.testing.assert_allclose(signals.probabilities.sum(axis=1), 1, atol=1e-5)
    assert not signals.out_of_fold
    assert set(signals.scores) == {"aum", "el2n", "linear", "knn_label", "input_twin"}


def test_features_are_finite_and_of_one_scale(run):
    signals = signals_of(run, run.dataset)
    features = signals.features(np.ones(len(run.scores), bool))
    assert features.shape == (len(run.scores), 2 * (2 * 5 + 2 * MOMENTS))
    assert np.isfinite(features).all()
    half = features.shape[1] // 2
    assert features[:, :half].min() >= 0
    assert features[:, :half].max() <= 1


def test_a_run_with_folds_speaks_out_of_fold():
    run = hcat.characterize(
        "wine", methods="aum", epochs=3, keep_dynamics="logits", folds="2", seed=0
    )
    signals = signals_of(run, run.dataset)
    assert signals.out_of_fold
    np.testing.assert_allclose(signals.probabilities, run.pred_probs(), atol=1e-6)
