from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score

from hcat_nb.errors import DataError, SpecError
from hcat_nb.evaluation.threshold import at_k, of_flagged, share_to_k


@pytest.mark.parametrize("k", [1, 7, 20, 60])
def test_without_ties_it_is_the_top_k(k):
    rng = np.random.default_rng(0)
    scores, positive = rng.normal(size=60), rng.random(60) < 0.3
    chosen = np.isin(np.arange(60), np.argsort(scores)[::-1][:k])
    got = at_k(scores, positive, k)
    assert math.isclose(got.precision, precision_score(positive, chosen))
    assert math.isclose(got.recall, recall_score(positive, chosen))
    assert math.isclose(got.f1, f1_score(positive, chosen))
    assert (got.n, got.tied) == (k, 1)


@pytest.mark.parametrize("k", [1, 3, 5, 8])
def test_ties_count_as_the_mean_over_row_orders(k):
    # A23: counts of three epochs, values 0..2 only.
    rng = np.random.default_rng(1)
    scores, positive = rng.integers(0, 3, size=12), rng.random(12) < 0.4
    precisions, recalls = [], []
    for _ in range(20_000):
        order = rng.permutation(12)
        top = order[np.argsort(-scores[order], kind="stable")[:k]]
        precisions.append(positive[top].mean())
        recalls.append(positive[top].sum() / positive.sum())
    got = at_k(scores, positive, k)
    # 20,000 orders, sd of one at most .5: .0035; 4 sd.
    assert abs(got.precision - np.mean(precisions)) < 0.015
    assert abs(got.recall - np.mean(recalls)) < 0.015
    assert got.tied == (scores == np.sort(scores)[::-1][k - 1]).sum()


def test_row_order_is_irrelevant():
    scores = np.array([0, 1, 1, 1, 2])
    positive = np.array([False, True, False, False, True])
    assert at_k(scores, positive, 2) == at_k(scores[::-1], positive[::-1], 2)
    assert math.isclose(at_k(scores, positive, 2).precision, (1 + 1 / 3) / 2)


def test_what_is_not_defined_is_nan():
    none = at_k([1.0, 2.0], [True, False], 0)
    assert math.isnan(none.precision)
    assert (none.recall, none.tied) == (0.0, 0)
    no_hard = at_k([1.0, 2.0], [False, False], 1)
    assert no_hard.precision == 0.0
    assert math.isnan(no_hard.recall)
    assert math.isnan(no_hard.f1)


def test_flagged():
    rng = np.random.default_rng(2)
    flagged, positive = rng.random(50) < 0.2, rng.random(50) < 0.3
    got = of_flagged(flagged, positive)
    assert math.isclose(got.precision, precision_score(positive, flagged))
    assert math.isclose(got.recall, recall_score(positive, flagged))
    assert math.isclose(got.f1, f1_score(positive, flagged))
    assert got.n == flagged.sum()
    assert math.isnan(of_flagged(np.zeros(50, bool), positive).precision)


def test_bad_input():
    with pytest.raises(SpecError, match="k is 3; expected a number of samples, 0 to 2"):
        at_k([1.0, 2.0], [True, False], 3)
    with pytest.raises(DataError, match="2 scores for 1 truths"):
        at_k([1.0, 2.0], [True], 1)
    with pytest.raises(DataError, match="2 flags for 1 truths"):
        of_flagged([True, False], [True])


@pytest.mark.parametrize(("share", "n", "k"), [(0.01, 50, 1), (0.01, 49, 0), (0.05, 60000, 3000)])
def test_share_to_k(share, n, k):
    assert share_to_k(share, n) == k
