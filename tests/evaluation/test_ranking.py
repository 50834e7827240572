from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from hcat_nb.errors import DataError, SpecError
from hcat_nb.evaluation import ranking
from hcat_nb.evaluation.ranking import auroc, average_precision, bootstrap_intervals


def sample(n, share, levels, seed, shift=1.0):
    """Return scores and flags; ``levels`` > 0 rounds the scores so that they tie."""
    rng = np.random.default_rng(seed)
    positive = rng.permutation(n) < min(max(1, round(share * n)), n - 1)
    scores = rng.normal(size=n) + shift * positive
    return (np.round(scores * levels) if levels else scores), positive


@pytest.mark.parametrize("n", [2, 5, 30, 1000])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.8])
@pytest.mark.parametrize("levels", [0, 1, 3])
@pytest.mark.parametrize("seed", range(5))
def test_both_areas_equal_scikit_learn(n, share, levels, seed):
    scores, positive = sample(n, share, levels, seed)
    # Sums in another order: a few units in the last place.
    assert math.isclose(auroc(scores, positive), roc_auc_score(positive, scores), abs_tol=1e-12)
    assert math.isclose(
        average_precision(scores, positive),
        average_precision_score(positive, scores),
        abs_tol=1e-12,
    )


def test_auroc_is_the_share_of_pairs_in_the_right_order_ties_half():
    scores, positive = sample(80, 0.3, 2, seed=0)
    hard, other = scores[positive], scores[~positive]
    pairs = (hard[:, None] > other).mean() + 0.5 * (hard[:, None] == other).mean()
    assert math.isclose(auroc(scores, positive), pairs, abs_tol=1e-12)


def test_row_order_is_irrelevant_when_all_tie():
    positive = np.array([True] * 3 + [False] * 7)
    for flags in (positive, positive[::-1]):
        assert auroc(np.zeros(10), flags) == 0.5
        assert math.isclose(average_precision(np.zeros(10), flags), 0.3)


def test_infinite_scores_rank_at_the_ends():
    assert auroc([np.inf, 1.0, -np.inf, np.inf], [True, True, False, False]) == 0.625


@pytest.mark.parametrize("metric", [auroc, average_precision])
@pytest.mark.parametrize("flags", [[True] * 4, [False] * 4])
def test_one_class_is_not_defined(metric, flags):
    assert math.isnan(metric([4.0, 3.0, 2.0, 1.0], flags))
    assert math.isnan(metric([], []))
    assert math.isnan(metric([1.0], [True]))


@pytest.mark.parametrize("metric", [auroc, average_precision])
def test_bad_input(metric):
    with pytest.raises(DataError, match="1 scores are NaN"):
        metric([1.0, np.nan], [True, False])
    with pytest.raises(DataError, match=r"shape \(3,\), truth \(2,\)"):
        metric([1.0, 2.0, 3.0], [True, False])


def test_intervals_equal_a_plain_bootstrap_scored_by_scikit_learn():
    scores, positive = sample(200, 0.2, 2, seed=4)
    (roc, pr), *_ = bootstrap_intervals(scores, positive, n_resamples=4000, seed=0)
    rng = np.random.default_rng(99)
    hard, other = np.flatnonzero(positive), np.flatnonzero(~positive)
    drawn = [np.r_[rng.choice(hard, len(hard)), rng.choice(other, len(other))] for _ in range(2000)]
    rocs = [roc_auc_score(positive[rows], scores[rows]) for rows in drawn]
    prs = [average_precision_score(positive[rows], scores[rows]) for rows in drawn]
    for mine, plain in ((roc, rocs), (pr, prs)):
        sd = np.std(plain)
        # An end of 2,000 resamples is off by .06 sd, of 4,000 by .04; four of the two together.
        assert abs(mine.low - np.percentile(plain, 2.5)) < 0.3 * sd
        assert abs(mine.high - np.percentile(plain, 97.5)) < 0.3 * sd


@pytest.mark.parametrize("levels", [0, 1, 3])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.98])
def test_each_resample_is_scored_as_scikit_learn_scores_its_weights(levels, share):
    scores, positive = sample(120, share, levels, seed=2)
    ranked = ranking._Ranked.of(scores, positive)
    ((hard, others),) = ranking._resamples(ranked.n_hard, ranked.n_others, 9, seed=1)
    assert (hard.sum(axis=0) == ranked.n_hard).all()
    assert (others.sum(axis=0) == ranked.n_others).all()
    weights = np.empty((120, 9))
    weights[positive], weights[~positive] = hard, others
    mine = ranked.areas(hard, others)
    for i, weight in enumerate(weights.T):
        for area, theirs in zip(mine, (roc_auc_score, average_precision_score), strict=True):
            # Sums in another order: a few units in the last place.
            expected = theirs(positive, scores, sample_weight=weight)
            assert math.isclose(area[i], expected, abs_tol=1e-12)


def test_counts_beyond_16_bits_are_right():
    # All others tie with the hard samples: runs of 70,000 draws.
    positive = np.arange(70_002) < 2
    assert auroc(np.zeros(70_002), positive) == 0.5
    roc, pr = bootstrap_intervals(np.zeros(70_002), positive, 3)[0]
    assert (roc.low, roc.high) == (0.5, 0.5)
    assert math.isclose(pr.high, 2 / 70_002)


def test_resamples_do_not_depend_on_how_many_are_counted_together(monkeypatch):
    scores, positive = sample(90, 0.2, 2, seed=0)
    together = bootstrap_intervals(scores, positive, 50, seed=3)
    monkeypatch.setattr(ranking, "_MOST", 7)
    assert bootstrap_intervals(scores, positive, 50, seed=3) == together


def test_intervals_cover_the_true_auroc():
    # Normals one sd apart: AUROC = Phi(1 / sqrt 2).  200 samples: nominal 95 %
    # +- 1.5; percentile intervals of 40 hard samples fall short by some points.
    truth = 0.5 * (1 + math.erf(0.5))
    covered = 0
    for seed in range(200):
        scores, positive = sample(200, 0.2, 0, seed)
        roc, _ = bootstrap_intervals(scores, positive, n_resamples=300, seed=seed)[0]
        covered += roc.low <= truth <= roc.high
    assert 0.88 <= covered / 200 <= 0.99


@pytest.mark.parametrize("shift", [0.0, 1.0, 3.0])
@pytest.mark.parametrize("levels", [0, 1])
def test_intervals_contain_the_point_estimate(shift, levels):
    scores, positive = sample(600, 0.1, levels, 1, shift)
    roc, pr = bootstrap_intervals(scores, positive, seed=0)[0]
    assert roc.low < auroc(scores, positive) < roc.high
    assert pr.low < average_precision(scores, positive) < pr.high


def test_columns_share_the_resamples_and_do_not_change_each_other():
    scores, positive = sample(150, 0.2, 0, seed=0)
    twin, other = scores * 2 + 1, np.random.default_rng(5).normal(size=150)
    both = bootstrap_intervals(np.stack([scores, other, twin], axis=1), positive, 200, seed=3)
    assert both[0] == both[2]  # the same ranking
    assert both[:1] == bootstrap_intervals(scores, positive, 200, seed=3)
    assert both[1:2] == bootstrap_intervals(other, positive, 200, seed=3)
    assert both[0] != bootstrap_intervals(scores, positive, 200, seed=4)[0]


def test_a_perfect_score_and_one_hard_sample():
    scores = np.arange(50.0)
    roc, pr = bootstrap_intervals(scores, scores == 49, 100)[0]
    assert (roc.low, roc.high, pr.low, pr.high) == (1.0, 1.0, 1.0, 1.0)


def test_intervals_that_are_not_defined():
    for scores, flags, resamples in (
        ([1.0, 2.0], [True, True], 50),
        ([1.0, 2.0], [True, False], 0),
        ([], [], 50),
    ):
        (roc, pr), *_ = bootstrap_intervals(scores, flags, resamples)
        assert all(math.isnan(end) for end in (roc.low, roc.high, pr.low, pr.high))
    for wrong in (-1, 1.5, "many"):
        with pytest.raises(SpecError, match=f"n_resamples is {wrong!r}"):
            bootstrap_intervals([1.0, 2.0], [True, False], wrong)
