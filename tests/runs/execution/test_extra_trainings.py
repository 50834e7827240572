"""Extra trainings from the outside: nothing leaks, nothing else moves, and each end is clear."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from hcat_nb.api.characterize import characterize
from hcat_nb.errors import DivergedError, ModelError, SpecError
from hcat_nb.observation.record import Need, Observation
from hcat_nb.runs.execution.extra_jobs import Job
from hcat_nb.runs.execution.extra_trainings import make_gauge
from hcat_nb.training.events import Control, ExtraEvent, Listener

SMALL = {"epochs": 4, "seed": 0, "batch_size": 32, "normalize": "none"}
FOLDS = {"cleanlab": {"cv": 3}}
THRESHOLD = {"aum": {"threshold_samples": True}}


def table(n: int = 150) -> tuple[np.ndarray, np.ndarray]:
    """Rows whose last feature is their number, of 3 classes that can be learned."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, n)
    x = rng.normal(size=(n, 4)) + np.eye(3, 4)[y] * 4
    return np.column_stack([x, np.arange(n)]), y


class Witness(nn.Module):
    """Remembers the rows that it was trained on, and those that it was only asked about."""

    made: list[Witness]

    def __init__(self, n_classes: int):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, n_classes))
        self.n_classes = n_classes
        self.trained: set[int] = set()
        self.asked: set[int] = set()
        Witness.made.append(self)

    def forward(self, x):
        (self.trained if self.training else self.asked).update(x[:, 4].round().int().tolist())
        return self.body(x[:, :4])


@pytest.fixture(autouse=True)
def witnesses() -> list[Witness]:
    Witness.made = []
    return Witness.made


class Ear(Listener):
    """Hears extra trainings, and stops the run in the one of that number."""

    def __init__(self, control: Control | None = None, stop_in: int = 0):
        self.heard: list[ExtraEvent] = []
        self.control, self.stop_in = control, stop_in

    def on_extra(self, event):
        self.heard.append(event)
        if event.number == self.stop_in and self.control is not None:
            self.control.stop.set()


def test_each_fold_is_judged_by_a_network_that_never_trained_on_it(witnesses):
    x, y = table()
    run = characterize(x, y, model=Witness, methods="cleanlab", method_options=FOLDS, **SMALL)
    everything = set(range(150))
    folds = [one for one in witnesses if one.trained and one.trained != everything]
    assert len(folds) == 3
    held_out = [everything - one.trained for one in folds]
    assert [len(rows) for rows in held_out] == [50, 50, 50]
    assert set().union(*held_out) == everything
    assert np.isfinite(run.scores["cleanlab"]).all()
    # The score is one minus the probability that the fold's network gives the label.
    for network, rows in zip(folds, held_out, strict=True):
        network.eval()
        at = sorted(rows)
        with torch.no_grad():
            p = network(torch.from_numpy(x[at]).float()).softmax(1).numpy()
        # float32
        np.testing.assert_allclose(1 - p[range(50), y[at]], run.scores["cleanlab"][at], atol=1e-5)


def test_scores_of_all_other_methods_stay_to_the_bit():
    x, y = table()
    plain = characterize(x, y, hardness="uniform", **SMALL)
    both = characterize(x, y, hardness="uniform", method_options=FOLDS | THRESHOLD, **SMALL)
    others = [name for name in plain.methods if name != "cleanlab"]
    assert plain.scores[others].equals(both.scores[others])  # the AUM's threshold moves no score
    assert not plain.scores["cleanlab"].equals(both.scores["cleanlab"])
    again = characterize(x, y, hardness="uniform", method_options=FOLDS | THRESHOLD, **SMALL)
    assert both.scores.equals(again.scores)
    assert both.flags.equals(again.flags)


def test_aums_threshold_flags_wrong_labels(witnesses):
    x, y = table(600)
    run = characterize(
        x, y, model=Witness, methods="aum", hardness="uniform", p=0.1, method_options=THRESHOLD,
        **(SMALL | {"epochs": 10, "lr": 0.01}),
    )  # fmt: skip
    row = run.evaluate(baselines=False, n_resamples=0).iloc[0]
    assert (run.details["aum_status"] == "").all()
    # Seen: .77 and 1, of a base rate of .1; the classes lie four standard deviations apart.
    assert row.precision_flagged > 0.6
    assert row.recall_flagged > 0.9
    assert {one.n_classes for one in witnesses} == {3, 4}
    assert "extra" in run.timings


def test_a_network_of_fixed_width_is_refused_before_training():
    x, y = table()
    net = nn.Linear(5, 3)
    ear = Ear()
    message = "train with 4 outputs, and the model has 3; .*takes n_classes, not a module"
    with pytest.raises(ModelError, match=message):
        characterize(
            x, y, model=net, methods="aum", method_options=THRESHOLD, listeners=[ear], **SMALL
        )
    assert ear.heard == []
    characterize(x, y, model=net, methods="cleanlab", method_options=FOLDS, **SMALL)


def test_more_folds_than_samples_are_refused_before_training(witnesses):
    x, y = table()
    with pytest.raises(SpecError, match=r"cleanlab.cv is 99"):
        characterize(x, y, model=Witness, method_options={"cleanlab": {"cv": 99}}, **SMALL)
    assert not any(one.trained for one in witnesses)


def test_listeners_hear_of_each_training_in_turn():
    x, y = table()
    ear = Ear()
    characterize(
        x, y, methods="aum,cleanlab", method_options=FOLDS | THRESHOLD, listeners=[ear], **SMALL
    )
    over = [event for event in ear.heard if event.over]
    assert [(event.number, event.of) for event in over] == [(k, 5) for k in range(1, 6)]
    assert [event.epoch for event in over] == [4] * 5
    assert over[-1].line() == "extra training 5/5 (fold 3 of 3), epoch 4/4"


def test_a_stop_keeps_the_folds_that_are_done(tmp_path):
    x, y = table()
    control = Control()
    run = characterize(
        x, y, methods="cleanlab,el2n", method_options=FOLDS, control=control,
        listeners=[Ear(control, stop_in=2)], out=tmp_path / "run", **SMALL,
    )  # fmt: skip
    status = run.details["cleanlab_status"]
    assert run.info["outcome"] == "stopped"
    assert status.value_counts().to_dict() == {"no_fold": 100, "": 50}
    assert run.scores["cleanlab"].isna().equals(status == "no_fold")
    assert run.scores["el2n"].notna().all()
    assert "cleanlab" not in run.flags
    assert (tmp_path / "run" / "run.json").is_file()


class Late(Witness):
    """The networks after the first two (one is the check of the width) give no number."""

    def forward(self, x):
        broken = sum(bool(one.trained) for one in Witness.made) > 1 and self.training
        return super().forward(x) * (torch.nan if broken else 1.0)


def test_a_divergence_says_where_and_keeps_the_runs_own_training():
    x, y = table()
    with pytest.raises(DivergedError, match=r"extra training for fold 1 of 3 diverged") as caught:
        characterize(x, y, model=Late, methods="cleanlab,el2n", method_options=FOLDS, **SMALL)
    run = caught.value.run
    assert run.scores["el2n"].notna().all()
    assert (run.details["cleanlab_status"] == "no_fold").all()


def test_held_out_logits_come_back_in_the_order_of_their_rows():
    labels = torch.tensor([0, 1, 0, 1, 0, 1])
    quantity = (Need.OUT_OF_FOLD, (("folds", 2),))
    job = Job("f", quantity, 1, labels, 2, torch.tensor([0, 1, 2]), torch.tensor([3, 4, 5]))
    gauge = make_gauge(job, labels, epochs=3)
    logits = torch.arange(12.0).reshape(6, 2)
    for rows in (torch.tensor([5, 3]), torch.tensor([4])):
        gauge.observe(Observation("final", 3, rows, labels[rows], logits[rows]))
    record = gauge.record()
    assert (record.kind, record.sweep) == ("extra", 1)
    assert record.rows.tolist() == [3, 4, 5]
    assert torch.equal(record.logits, logits[3:])
    assert record.labels.tolist() == [1, 0, 1]


def test_margins_of_threshold_samples_are_taken_against_the_extra_class():
    labels = torch.tensor([0, 2, 1, 2])  # rows 1 and 3 have the extra class of 0 and 1
    quantity = (Need.THRESHOLD_SAMPLES, ())
    rows = torch.tensor([0, 1, 3])  # row 2 is not trained on
    job = Job("t", quantity, 0, labels, 3, rows, torch.tensor([1, 3]))
    gauge = make_gauge(job, labels, epochs=2)
    logits = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 4, 3))).float()
    for epoch in (1, 2):
        gauge.observe(Observation("train", epoch, rows, labels[rows], logits[epoch - 1][rows]))
    measured = gauge.record().measured[quantity]
    others = logits.masked_fill(torch.nn.functional.one_hot(labels, 3).bool(), -torch.inf)
    own = logits.gather(2, labels.expand(2, 4)[..., None])[..., 0]
    expected = (own - others.amax(2)).mean(0)[rows]
    assert torch.allclose(measured[:, 0].float(), expected, atol=1e-6)  # float32 logits
    assert measured[:, 1].tolist() == [0, 1, 1]
