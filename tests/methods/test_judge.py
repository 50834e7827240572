"""What all judges share: where they look, and when they say why not."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.sparse import issparse

from hcat_nb.errors import SpecError
from hcat_nb.methods._judge import compact
from hcat_nb.methods.base import Context
from hcat_nb.methods.knn_label import KnnLabel
from hcat_nb.methods.linear import Linear
from hcat_nb.observation.record import Need, Observation

LABELS = torch.tensor([0, 1, 0, 1, -1, 0, 1, 0, 1, 1, 0, 1] * 3)
X = np.random.default_rng(0).normal(size=(36, 4)).astype(np.float32)


def shown(judge, kind="data", need=Need.FEATURES, order=None, batch=36):
    judge.begin(Context(LABELS, 2, 1))
    rows = torch.arange(36) if order is None else order
    for some in rows.split(batch):
        labels, features = LABELS[some].clamp(min=0), torch.from_numpy(X)[some]
        measured = {(need, ()): features}
        judge.observe(Observation(kind, 1, some, labels, torch.zeros(len(some), 2), measured))
    return judge.scores()


@pytest.mark.parametrize("kind", [KnnLabel, Linear])
def test_an_array_and_the_features_of_the_samples_are_judged_alike(kind):
    by_features = shown(kind())
    by_array = shown(KnnLabel(space=X) if kind is KnnLabel else Linear(space=X))
    if kind is KnnLabel:
        assert torch.equal(by_features.scores.nan_to_num(), by_array.scores.nan_to_num())
    assert by_array.status == by_features.status
    assert by_array.status[4] == "no_label"


@pytest.mark.parametrize("kind", [KnnLabel, Linear])
def test_the_embedding_is_judged_whatever_the_batches(kind):
    whole = shown(kind(space="embedding"), "final", Need.EMBEDDINGS)
    order = torch.from_numpy(np.random.default_rng(1).permutation(36))
    parts = shown(kind(space="embedding"), "final", Need.EMBEDDINGS, order, batch=5)
    assert torch.equal(whole.scores.nan_to_num(), parts.scores.nan_to_num())


@pytest.mark.parametrize("space", ["input", "embedding"])
def test_who_was_shown_nothing_says_so(space):
    judge = KnnLabel(space=space)
    judge.begin(Context(LABELS, 2, 1))
    scored = judge.scores()
    assert scored.scores.isnan().all()
    assert set(scored.status) == {"not_judged", "no_label"}


def test_the_embedding_is_judged_once_for_all_who_ask(monkeypatch):
    judge, calls = KnnLabel(space="embedding"), []
    monkeypatch.setattr(judge, "judge", lambda x, y: calls.append(1) or KnnLabel.judge(judge, x, y))
    shown(judge, "final", Need.EMBEDDINGS)
    judge.details()
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("space", "words"),
    [
        ("away", "one of auto, input, embedding"),
        (np.zeros(5), "a row for each sample"),
        ([["a", "b"]], "of no numbers"),
        (np.full((36, 2), np.nan), "not finite"),
    ],
)
def test_a_space_that_is_none_is_refused(space, words):
    with pytest.raises(SpecError, match=words):
        KnnLabel(space=space)


def test_an_array_of_another_length_is_refused_before_training():
    with pytest.raises(SpecError, match=r"knn_label\.space has 35 rows; expected 36"):
        KnnLabel(space=X[:35]).begin(Context(LABELS, 2, 1))


def test_what_is_nearly_empty_is_held_sparse():
    assert issparse(compact(np.eye(50, dtype=np.float32)))
    assert not issparse(compact(X))
