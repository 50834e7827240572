"""A sample of which the model makes no finite number has no score; all others keep theirs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import hcat_nb as hcat
from hcat_nb.api.rescore import rescore
from hcat_nb.errors import DivergedError, HcatError
from hcat_nb.methods.base import NO_OUTPUT
from hcat_nb.registry import METHODS
from hcat_nb.training.events import Control, Listener

N, D, C, EPOCHS, SINCE = 120, 6, 3, 5, 3
BAD = [7, 50]
MARK = 9.0
SETTINGS = {"epochs": EPOCHS, "batch_size": 32, "seed": 0, "device": "cpu", "normalize": "none"}
OPTIONS = {"aum": {"threshold_samples": True}, "cleanlab": {"cv": 3}}


class Odd(nn.Module):
    """Makes ``value`` of marked rows in evaluation mode, from epoch ``SINCE`` on."""

    def __init__(self, n_classes: int = C, value: float = torch.nan) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(D, 16), nn.ReLU(), nn.Dropout(0.2))
        self.head = nn.Linear(16, n_classes)
        self.value = value
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training:
            self.steps += 1
        # Four batches an epoch; training itself never sees the value.
        odd = (x[:, :1] == MARK) & (not self.training) & (self.steps >= 4 * SINCE - 3)
        return self.head(torch.where(odd, self.value, self.body(torch.where(odd, 0.0, x))))


def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = np.arange(N) % C
    features = rng.normal(size=(N, D)).astype(np.float32)
    features[np.arange(N), labels] += 2
    features[BAD, 0] = MARK
    return features, labels


def train(model=Odd, **more):
    features, labels = data()
    return hcat.characterize(features, labels, model=model, **{**SETTINGS, **more})


def at(frame, rows=BAD):
    others = np.setdiff1d(np.arange(len(frame)), rows)
    return frame.iloc[rows], frame.iloc[others]


def checked(run):
    bad, others = at(run.scores[list(run.methods)])
    assert bad.isna().all().all()
    assert np.isfinite(others).all().all()
    for name in run.methods:
        said, rest = at(run.details[f"{name}_status"])
        assert (said == NO_OUTPUT).all(), name
        assert not (rest == NO_OUTPUT).any(), name
    flagged, _ = at(run.flags)
    assert not flagged.any().any()
    said = [note for note in run.info["notes"] if "have no score" in note]
    assert len(said) == 1
    assert f"2 of {N} samples" in said[0]
    assert f"from epoch {SINCE} on" in said[0]


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_every_method_scores_the_others(value, tmp_path):
    def make(n_classes):
        return Odd(n_classes, value)

    run = train(
        make,
        methods="all",
        method_options=OPTIONS,
        keep_dynamics="probs",
        hardness="id_covariate",
        p=0.1,
    )
    assert set(run.methods) == set(METHODS.names()) - {"knn_label", "linear"}
    checked(run)
    bad, others = at(run.details)
    for column in ("confidence", "variability", "aleatoric", "correctness", "mean_loss", "aum"):
        assert bad[column].isna().all(), column
        assert others[column].notna().all(), column
    assert bad["predicted"].isna().all()
    assert run.history["accuracy"].between(0, 1).all()
    evaluated = run.evaluate()
    assert np.isfinite(evaluated["auroc"]).all()
    run.save(tmp_path / "run")
    again = hcat.load_run(tmp_path / "run")
    checked(again)
    assert again.scores.equals(run.scores)


def test_the_others_are_scored_as_if_the_rows_were_not_there():
    """Class statistics leave them out: the same run on data whose model is fine at them."""

    def fine(n_classes):
        return Odd(n_classes, 0.0)

    named = "aum datamaps dataiq el2n forgetting loss grand detector"  # each row by itself
    ours, theirs = train(methods=named), train(fine, methods=named)
    _, mine = at(ours.scores)
    _, whole = at(theirs.scores)
    assert mine.equals(whole)


@pytest.mark.parametrize("kept", ["probs", "logits"])
def test_rescoring_knows_them(kept):
    run = train(methods="el2n", keep_dynamics=kept)
    more = rescore(run, "loss datamaps")
    checked(more)


def test_several_seeds_and_folds():
    run = train(methods="el2n vog prototypicality", seeds=2, folds=3)
    checked(run)
    bad, others = at(run.held_out)
    assert bad.isna().all().all()
    assert others.notna().all().all()


def test_a_resumed_run_knows_them(tmp_path):
    class Stops(Listener):
        def on_epoch(self, event):
            if event.epoch == SINCE + 1:
                control.stop.set()

    whole = train(methods="el2n vog forgetting")
    control = Control()
    folder = tmp_path / "run"
    train(methods="el2n vog forgetting", out=folder, listeners=[Stops()], control=control)
    features, labels = data()
    resumed = hcat.resume(folder, features, labels, model=Odd)
    checked(resumed)
    assert resumed.scores.equals(whole.scores)


def test_scores_while_it_trains_leave_them_out():
    seen = []

    class Looks(Listener):
        essential = True

        def on_epoch(self, event):
            seen.append(np.flatnonzero(np.isnan(event.scores.take()["el2n"])).tolist())

    train(methods="el2n", listeners=[Looks()])
    assert seen == [[], [], BAD, BAD, BAD]


def test_a_class_that_is_ruled_out_costs_only_the_score_that_needs_it():
    class Ruling(nn.Module):
        def __init__(self, n_classes=2):
            super().__init__()
            self.head = nn.Linear(D, n_classes)

        def forward(self, x):
            logits = self.head(x)
            if self.training:
                return logits
            out = (x[:, 0] == MARK)[:, None] & (torch.arange(logits.shape[1]) == 0)
            return logits.masked_fill(out, -torch.inf)

    features, labels = data()
    labels = labels % 2
    labels[BAD] = [0, 1]
    run = hcat.characterize(features, labels, model=Ruling, methods="el2n loss", **SETTINGS)
    assert run.scores["el2n"].notna().all()
    assert run.scores["loss"].isna().to_numpy().nonzero()[0].tolist() == BAD[:1]
    assert any("loss has no score for 1 samples" in note for note in run.info["notes"])


def test_a_model_without_outputs_is_still_a_divergence():
    class Broken(nn.Module):
        def __init__(self, n_classes=C):
            super().__init__()
            self.odd = Odd(n_classes)

        def forward(self, x):
            logits = self.odd(x)
            late = (not self.training) and int(self.odd.steps) >= 4 * SINCE - 3
            return logits * torch.nan if late else logits

    with pytest.raises(DivergedError, match=f"epoch {SINCE}") as caught:
        train(Broken, methods="el2n")
    assert isinstance(caught.value, HcatError)
    assert len(caught.value.run.history) == SINCE - 1
