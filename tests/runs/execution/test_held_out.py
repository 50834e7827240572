"""Every row is judged by a network that did not see its label, whoever asks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hcat_nb.api.characterize import characterize
from hcat_nb.api.run import load_run
from hcat_nb.errors import SpecError, StoreError
from hcat_nb.training.events import ExtraEvent, Listener

SMALL = {"epochs": 3, "methods": "cleanlab el2n", "judges": False, "seed": 0}


class Hears(Listener):
    """Remembers which extra trainings there were."""

    def __init__(self) -> None:
        self.purposes: list[str] = []

    def on_extra(self, event: ExtraEvent) -> None:
        if event.purpose not in self.purposes:
            self.purposes.append(event.purpose)


def test_without_folds_one_network_is_trained_for_the_check_and_scores_do_not_move() -> None:
    hears = Hears()
    run = characterize("wine", listeners=[hears], **SMALL)
    assert hears.purposes == ["learning check"]
    assert run.info["check"]["figures"]["held_out_rows"] == 36
    plain = characterize("wine", learning_check=False, **SMALL)
    assert plain.info["check"] is None
    assert plain.scores.equals(run.scores)
    with pytest.raises(StoreError, match=r"no probabilities out of fold.*folds=5"):
        run.pred_probs()


def test_folds_serve_the_user_the_check_and_confident_learning(tmp_path) -> None:
    hears = Hears()
    run = characterize("wine", folds=4, listeners=[hears], out=tmp_path / "run", **SMALL)
    assert hears.purposes == [f"fold {number} of 4" for number in (1, 2, 3, 4)]
    probs = run.pred_probs()
    assert list(probs.columns) == run.info["dataset"]["class_values"]
    assert np.allclose(probs.sum(axis=1), 1, atol=1e-6)  # float32
    own = probs.to_numpy()[np.arange(len(probs)), run.details["label"].cat.codes]
    # cleanlab's self-confidence, in float64
    assert np.allclose(run.scores["cleanlab"], 1 - own, atol=1e-6)
    pd.testing.assert_frame_equal(load_run(tmp_path / "run").pred_probs(), probs)
    named = characterize("wine", method_options={"cleanlab": {"cv": 4}}, **SMALL)
    assert named.pred_probs().equals(probs)
    assert named.scores.equals(run.scores)


def test_a_network_that_memorised_is_followed_by_five_folds() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(200, 200))  # as many columns as rows: anything can be learned
    labels = (features[:, :4].sum(axis=1) > 0).astype(int)
    hears = Hears()
    options = {"epochs": 20, "methods": "el2n", "judges": False}
    run = characterize(features, labels, listeners=[hears], **options)
    assert hears.purposes[1:] == [f"fold {number} of 5" for number in (1, 2, 3, 4, 5)]
    assert run.info["check"]["state"] == "memorised"
    assert run.info["proposals"]["judges"] == ["network, out of fold"]
    assert "5 networks" in run.learning_check
    none = characterize(features, labels, folds=0, **options)
    assert none.info["check"]["state"] == "memorised"
    assert none.held_out is None
    assert "folds=5 judges each row" in none.learning_check
    assert none.scores.equals(run.scores)


def test_folds_that_take_too_long_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hcat_nb.runs.execution.held_out._AUTO_SECONDS", -1)
    rng = np.random.default_rng(0)
    features = rng.normal(size=(200, 200))
    labels = (features[:, :4].sum(axis=1) > 0).astype(int)
    run = characterize(features, labels, epochs=20, methods="el2n", judges=False)
    assert any("were not trained; folds=5 trains them" in note for note in run.info["notes"])
    assert run.held_out is None


def test_several_seeds_are_checked_once() -> None:
    hears = Hears()
    run = characterize("wine", seeds=2, listeners=[hears], **SMALL)
    assert hears.purposes == ["learning check"]
    assert run.info["check"]["figures"]["held_out_rows"] == 36
    both = characterize("wine", seeds=2, folds=3, **SMALL)
    assert np.allclose(both.pred_probs().sum(axis=1), 1, atol=1e-6)


def test_what_cannot_be_asked_for_is_named() -> None:
    for value in ("1", "-2", "many"):
        with pytest.raises(SpecError, match="folds is"):
            characterize("wine", folds=value)


def test_groups_stay_on_one_side() -> None:
    """Rows of a person are alike but for their label: only a network that saw them knows it."""
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(60), 5)
    features = rng.normal(size=(60, 8))[person] + 0.01 * rng.normal(size=(300, 8))
    frame = pd.DataFrame(features, columns=list("abcdefgh"))
    frame = frame.assign(person=[f"p{one}" for one in person], y=rng.integers(0, 2, 60)[person])
    options = {"epochs": 40, "methods": "el2n", "judges": False, "folds": 4}
    apart = characterize(frame, target="y", groups="person", **options)
    mixed = characterize(frame.drop(columns="person"), target="y", **options)
    right = [(run.pred_probs().to_numpy().argmax(1) == frame["y"]).mean() for run in (apart, mixed)]
    # labels of persons are drawn at random: .5 is chance, with a standard error of .07
    assert right[0] < 0.7
    assert right[1] > 0.8
