"""What a run kept is found, or what it lacks is named; and what is known of its predictions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from hcat_nb.api.characterize import characterize
from hcat_nb.api.run import Run
from hcat_nb.errors import StoreError
from hcat_nb.runs.recorded.kept import kept_dynamics, label_probabilities, outcomes


def test_probabilities_come_back_epoch_by_epoch(image_run: Run) -> None:
    kept = kept_dynamics(image_run)
    assert (kept.n, kept.n_epochs, kept.content) == (200, 3, "label_probs")
    found = torch.cat([values for _, values in kept.chunks(2)]).numpy().ravel()
    assert np.array_equal(found, image_run.dynamics["epoch_2"].to_numpy())


def test_a_run_that_kept_nothing_says_what_would_have(table_run: Run) -> None:
    with pytest.raises(StoreError, match="keep_dynamics"):
        kept_dynamics(table_run)


@pytest.fixture(scope="module")
def logits_run():
    options = {"subset": 120, "epochs": 3, "batch_size": 16, "methods": "loss", "seed": 0}
    return characterize("digits", keep_dynamics="logits", **options)


def test_logits_tell_of_every_epoch(logits_run):
    rows = np.array([7, 0, 33])
    found = outcomes(logits_run, label_probabilities(logits_run), rows)
    labels = logits_run.details["label"].to_numpy()[rows]
    for epoch in (1, 2, 3):
        frame = logits_run.logits.epoch(epoch).set_index("position").loc[rows]
        expected = frame.idxmax(axis=1).to_numpy() == labels
        assert (found[:, epoch - 1] == "correct").tolist() == expected.tolist()
    assert "unknown" not in found
    assert (found == "correct").any()
    assert (found == "incorrect").any()


def test_probabilities_alone_never_contradict_the_logits_and_leave_doubt_open(logits_run):
    rows = np.arange(120)
    dynamics = label_probabilities(logits_run)
    known = outcomes(logits_run, dynamics, rows)
    guessed = outcomes(replace(logits_run, logits=None), dynamics, rows)
    told = guessed != "unknown"
    assert (guessed[told] == known[told]).all()
    p = dynamics.to_numpy()
    assert np.array_equal(~told, (p <= 0.5) & (p >= 0.1))
    assert told.any()
    assert not told.all()


def test_without_dynamics_the_remedy_is_named(table_run):
    with pytest.raises(StoreError, match="keep_dynamics=probs or logits"):
        label_probabilities(table_run)
