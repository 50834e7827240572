"""The competition of rankings: who wins where it is known who should."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from hcat_nb.audits.ranking import COMBINATION, Copies, candidates, folds, judge
from hcat_nb.audits.signals import Signals, ranks
from hcat_nb.errors import DataError


def signals(n: int, seed: int, wrong: np.ndarray, good: float, weak: float) -> Signals:
    rng = np.random.default_rng(seed)
    scores = {"el2n": good * wrong + rng.normal(size=n), "aum": weak * wrong + rng.normal(size=n)}
    p = np.full((n, 2), 0.5, np.float32)
    return Signals(scores, np.zeros(n, int), p, np.zeros((n, 16), np.float32), False)


def world(good: float, weak: float):
    n = 2000
    planted, own = (np.arange(n) < 100), (np.arange(n) >= 1900)
    copy = signals(n, 1, planted | own, good, weak)
    codes = np.where(planted, 0, -1)
    free = codes < 0
    copies = Copies(candidates(copy, free), copy.features(free), codes, np.arange(n))
    return copies, signals(n, 2, own, good, weak), own


def test_the_better_method_wins_and_its_ranking_is_that_of_the_clean_run():
    copies, clean, own = world(3.0, 0.0)
    found = judge(copies, [clean], seed=0)
    table = found.table
    assert table.loc["el2n", "auroc"] > 0.95 > 0.6 > table.loc["aum", "auroc"]
    assert (table["auroc_low"] <= table["auroc"]).all()
    assert (table["auroc"] <= table["auroc_high"]).all()
    assert roc_auc_score(own, found.scores[0]) > 0.95
    if found.recommended != COMBINATION:
        every = np.ones(len(own), bool)
        assert np.array_equal(found.scores[0], ranks(clean.scores[found.recommended], every))


def test_two_weak_methods_are_combined():
    copies, clean, own = world(1.5, 1.5)
    found = judge(copies, [clean, clean], seed=0)
    assert found.table.loc[COMBINATION, "auroc"] > found.table.loc[["el2n", "aum"], "auroc"].max()
    assert found.recommended in (COMBINATION, "dynamics")  # which is as good for two alike
    assert found.scores.shape == (2, 2000)
    alone = max(roc_auc_score(own, score) for score in clean.scores.values())
    assert roc_auc_score(own, found.scores[0]) > alone


def test_probes_are_placed_among_the_others_by_a_fit_that_did_not_see_them():
    """Scores that are noise: half of the others stand above a probe, also after the fit."""
    copies, clean, _ = world(0.0, 0.0)
    found = judge(copies, [clean], seed=0)
    assert len(found.probes) == 100
    assert found.probes.mean() == pytest.approx(0.5, abs=0.12)  # 4 standard errors of 100 places


def test_a_group_has_one_fold():
    groups = np.repeat(np.arange(50), 3)
    fold = folds(groups, 0)
    assert (fold.reshape(50, 3) == fold[::3, None]).all()
    assert set(fold) == set(range(5))


def test_the_figures_are_scikit_learns():
    copies, clean, _ = world(1.0, 0.5)
    found = judge(copies, [clean], seed=0).table.loc["el2n"]
    score, hard = copies.scores["el2n"], copies.causes == 0
    assert found["auroc"] == pytest.approx(roc_auc_score(hard, score))
    assert found["auprc"] == pytest.approx(average_precision_score(hard, score))
    first = np.argsort(-score, kind="stable")[:100]  # a twentieth of 2,000
    assert found["recall"] == hard[first].mean()
    assert found["recall_low"] < found["recall"] < found["recall_high"]


def test_planted_labels_that_share_a_group_are_refused():
    copies, clean, _ = world(3.0, 0.0)
    together = Copies(copies.scores, copies.features, copies.causes, np.arange(2000).clip(min=100))
    with pytest.raises(DataError, match="in one fifth of the groups"):
        judge(together, [clean], seed=0)
