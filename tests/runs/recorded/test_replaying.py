"""Which methods recorded dynamics serve, and the scores that come of it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hcat_nb.methods.aum import AUM
from hcat_nb.methods.forgetting import Forgetting
from hcat_nb.observation.record import Need, Observation
from hcat_nb.observation.recorded_arrays import ArrayDynamics
from hcat_nb.registry import METHODS
from hcat_nb.runs.recorded.replaying import EpochTally, plan_methods, score

E, N, C = 4, 60, 3
NAMES = METHODS.names()
Z = np.random.default_rng(0).normal(0, 2, (E, N, C)).astype(np.float32)
Y = torch.arange(N) % C
P = np.exp(Z) / np.exp(Z).sum(2, keepdims=True)
P_LABEL = P[:, np.arange(N), Y.numpy()]


def methods():
    return [METHODS.get(name)() for name in NAMES]


def names(plan):
    return {method.name for method in plan.methods}


def reading(*kinds: Need) -> set[str]:
    return {method.name for method in methods() if method.needs <= set(kinds)}


@pytest.mark.parametrize("content", ["logits", "probs"])
def test_to_the_letter_only_what_the_needs_allow(content):
    recorded = ArrayDynamics(Z if content == "logits" else P, content, "epoch_end")
    plan = plan_methods(methods(), recorded, stand_in=False)
    assert names(plan) == reading(Need.LOGITS, Need.LABEL_PROB, Need.FINAL_LOGITS)
    assert {"cleanlab", "dataiq", "datamaps", "el2n", "loss"} <= names(plan)
    assert set(plan.refused) == set(NAMES) - names(plan)
    assert plan.refused["aum"] == "needs the logits of the training forward"
    assert plan.stand_ins == []


def test_the_labels_probability_serves_those_that_need_no_more():
    plan = plan_methods(methods(), ArrayDynamics(P_LABEL, "probs", "epoch_end"), stand_in=True)
    assert names(plan) == reading(Need.LABEL_PROB) >= {"dataiq", "datamaps", "loss"}
    assert plan.refused["el2n"] == "needs logits or probabilities of all classes"
    assert "aum" in plan.refused


def test_forgetting_reads_the_end_of_epochs_where_that_is_what_there_is():
    recorded = ArrayDynamics(Z, "logits", "epoch_end")
    plan = plan_methods([Forgetting(), AUM()], recorded, stand_in=True)
    assert plan.methods[0].when == "epoch_end"
    assert plan.stand_ins == ["aum"]
    kept = plan_methods([Forgetting()], recorded, stand_in=True, chosen=["forgetting"])
    assert kept.methods[0].when == "train"
    assert kept.stand_ins == ["forgetting"]


def test_training_logits_serve_theirs_and_stand_in_for_the_others():
    plan = plan_methods(methods(), ArrayDynamics(Z, "logits", "train"), stand_in=True)
    assert {"aum", "forgetting"} <= names(plan) - set(plan.stand_ins)
    assert {"datamaps", "cleanlab"} <= set(plan.stand_ins)
    labels_only = plan_methods(methods(), ArrayDynamics(P_LABEL, "probs", "train"), stand_in=True)
    assert names(labels_only) == set(labels_only.stand_ins) == reading(Need.LABEL_PROB)


def scores(recorded, name, **options):
    found = score(
        [METHODS.get(name)(**options)], recorded, Y, n_classes=C, n_epochs=E, seed=0
    )  # fmt: skip
    return found[name].scores


@pytest.mark.parametrize("name", sorted(reading(Need.LABEL_PROB)))
def test_the_labels_probability_gives_what_all_logits_give(name):
    """A card that asks for LABEL_PROB alone must not read anything else."""
    expected = scores(ArrayDynamics(Z, "logits", "epoch_end"), name)
    found = scores(ArrayDynamics(P_LABEL, "probs", "epoch_end"), name)
    # 1 - p of a float32 p has an error of 6e-8, a mean over epochs no more
    assert torch.allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", sorted(reading(Need.LOGITS, Need.LABEL_PROB, Need.FINAL_LOGITS)))
def test_the_size_of_chunks_changes_no_bit(name):
    """A25: the streamed and the small path agree exactly."""
    whole = scores(ArrayDynamics(Z, "logits", "epoch_end"), name)
    for chunk in (1, 7, N):
        streamed = ArrayDynamics(Z, "logits", "epoch_end", chunk=chunk)
        if name == "detector":
            # The order of its matrix products' sums depends on the rows of a batch.
            torch.testing.assert_close(scores(streamed, name), whole, rtol=0, atol=1e-6)
        else:
            assert torch.equal(scores(streamed, name), whole)


def test_history_is_that_of_the_labelled_samples():
    labels = Y.clone()
    labels[:10] = -1
    tally = EpochTally(labels, label_only=False)
    for epoch in (1, 2):
        for rows in torch.arange(N).split(25):
            at = torch.from_numpy(Z[epoch - 1])[rows]
            tally.observe(Observation("epoch", epoch, rows, labels[rows].clamp(min=0), at))
        tally.close(epoch)
    assert [row["epoch"] for row in tally.rows] == [1, 2]
    for row, p in zip(tally.rows, P, strict=False):
        y = Y.numpy()[10:]
        assert row["loss"] == pytest.approx(-np.log(p[np.arange(10, N), y]).mean(), rel=1e-5)
        assert row["accuracy"] == (p[10:].argmax(1) == y).mean()


def test_there_is_no_accuracy_of_the_labels_probability():
    tally = EpochTally(Y, label_only=True)
    tally.close(1)
    assert np.isnan(tally.rows[0]["accuracy"])


def test_what_takes_trainings_of_its_own_is_refused():
    recorded = ArrayDynamics(Z, "logits", "epoch_end")
    asked = [AUM(threshold_samples=True), METHODS.get("cleanlab")(cv=2)]
    plan = plan_methods(asked, recorded, stand_in=True)
    assert plan.methods == []
    assert plan.refused["cleanlab"] == "needs networks trained without the samples that they judge"
    assert plan.refused["aum"].endswith("two trainings with threshold samples")
