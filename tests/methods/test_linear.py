"""The linear judge against scikit-learn's own cross-validation, and what its folds promise."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import PredefinedSplit, cross_val_predict

import hcat_nb as hcat
from hcat_nb.errors import SpecError
from hcat_nb.methods.base import Context
from hcat_nb.methods.linear import Linear, held_out_probabilities, same_rows, stratified_folds


def begun(labels: np.ndarray, seed: int = 0, **options) -> Linear:
    judge = Linear(**options)
    judge.begin(Context(torch.from_numpy(labels), int(labels.max()) + 1, 1, seed=seed))
    return judge


@pytest.fixture(params=[0, 1])
def world(request):
    rng = np.random.default_rng(request.param)
    labels = rng.integers(0, 3, 200)
    return rng.normal(size=(200, 5)) + 2 * rng.normal(size=(3, 5))[labels], labels


def test_equals_cross_validation_over_the_same_folds(world):
    x, labels = world
    folds = stratified_folds(labels, same_rows(x), 5, seed=7)
    p = cross_val_predict(
        LogisticRegression(), x, labels, cv=PredefinedSplit(folds), method="predict_proba"
    )
    found = begun(labels, seed=7).judge(x, labels)
    np.testing.assert_allclose(found, 1 - p[np.arange(200), labels], atol=1e-6)
    np.testing.assert_allclose(begun(labels, 7).judge(csr_matrix(x), labels), found, atol=1e-3)


def test_another_seed_draws_other_folds(world):
    x, labels = world
    assert not np.array_equal(begun(labels, 1).judge(x, labels), begun(labels, 2).judge(x, labels))


def test_the_label_of_a_row_has_no_say_in_its_own_probabilities(world):
    x, labels = world
    other = labels.copy()
    other[0] = (labels[0] + 1) % 3
    p = held_out_probabilities(x, labels, np.arange(200) % 5, 1.0)
    q = held_out_probabilities(x, other, np.arange(200) % 5, 1.0)
    assert np.array_equal(p[0], q[0])
    assert not np.array_equal(p[1], q[1])


def test_folds_are_stratified_and_duplicates_share_one():
    labels = np.repeat([0, 1, 2], [100, 50, 10])
    groups = np.arange(160)
    groups[100:150:2] = groups[101:151:2]  # pairs
    folds = stratified_folds(labels, groups, 5, seed=1)
    assert (folds[100:150:2] == folds[101:151:2]).all()
    table = np.array([np.bincount(folds[labels == code], minlength=5) for code in range(3)])
    assert (table[0] == 20).all()
    assert (table[1] == 10).all()
    assert (table[2] == 2).all()
    assert not np.array_equal(folds, stratified_folds(labels, groups, 5, seed=2))


def test_a_duplicate_under_another_label_cannot_be_copied_from(world):
    """Without groups, the twin in another fold would give the answer away."""
    x, labels = world
    x = np.concatenate([x, x])
    labels = np.concatenate([labels, (labels + 1) % 3])
    scores = begun(labels).judge(x, labels)
    # Both labels of a pair are seen by the same model, so they compete.
    assert (scores[:200] + scores[200:] >= 1 - 1e-9).all()


def test_rare_classes_are_not_judged():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2, 3], [40, 40, 4, 6])
    x = rng.normal(size=(90, 3)) + labels[:, None]
    x[84:] = x[84]  # six rows, all alike
    scores = begun(labels).judge(x, labels)
    assert np.isnan(scores[80:]).all()
    assert np.isfinite(scores[:80]).all()


def test_one_class_only_has_nothing_to_doubt():
    x = np.random.default_rng(0).normal(size=(20, 2))
    assert (begun(np.zeros(20, dtype=np.int64)).judge(x, np.zeros(20, dtype=np.int64)) == 0).all()


def test_same_rows_are_found_in_sparse_and_dense():
    x = np.array([[0.0, 1.0], [-0.0, 1.0], [1.0, 0.0], [0.0, 0.0]])
    assert same_rows(x).tolist() == [0, 0, 1, 2]
    assert same_rows(csr_matrix(x)).tolist() == [0, 0, 1, 2]


@pytest.mark.parametrize(
    "options", [{"folds": 1}, {"folds": 2.5}, {"strength": 0}, {"strength": "x"}, {"space": "away"}]
)
def test_options_out_of_range_are_refused(options):
    (name,) = options
    with pytest.raises(SpecError, match=rf"linear\.{name} is"):
        Linear(**options)


def test_rows_of_one_group_are_judged_by_models_that_saw_none_of_it() -> None:
    """A label that goes with the person, and columns that give the person away."""
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(40), 5)
    label = (np.arange(40) % 2)[rng.permutation(40)][person]
    features = np.eye(40, dtype=np.float32)[person] + rng.normal(0, 0.1, (200, 40))
    options = {"methods": "linear", "epochs": 1, "seed": 0, "learning_check": False}
    known = hcat.characterize(features, label, **options).scores["linear"]
    data = hcat.load(features, label, groups=person)
    honest = hcat.characterize(data, **options).scores["linear"]
    assert known.mean() < 0.2
    assert honest.mean() > 0.45
