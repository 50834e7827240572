"""Scores while a run goes on: what they are, and that they change nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

import hcat_nb as hcat
from hcat_nb.api.run import Run
from hcat_nb.errors import HcatError
from hcat_nb.methods.base import Method
from hcat_nb.training.events import EndEvent, EpochEvent, Listener, StartEvent

SPEC: dict[str, Any] = {"hardness": "uniform", "p": 0.2, "seed": 3, "device": "cpu"}
# Those whose score of a few epochs does not depend on how many are planned.
STREAMING = ["aum", "datamaps", "dataiq", "el2n", "loss", "forgetting", "grand", "detector"]


class Taking(Listener):
    """Takes the scores of every epoch, or of some."""

    def __init__(self, wanted: Callable[[int], bool] = lambda _: True) -> None:
        self.wanted = wanted
        self.taken: dict[int, Mapping[str, np.ndarray]] = {}
        self.copies: dict[int, dict[str, np.ndarray]] = {}
        self.events: list[EpochEvent] = []
        self.end: Mapping[str, np.ndarray] | None = None

    def on_start(self, event: StartEvent) -> None:
        self.methods = dict(event.methods)

    def on_epoch(self, event: EpochEvent) -> None:
        self.events.append(event)
        assert event.scores is not None
        if self.wanted(event.epoch):
            self.taken[event.epoch] = event.scores.take()
            self.copies[event.epoch] = {
                name: values.copy() for name, values in self.taken[event.epoch].items()
            }

    def on_end(self, event: EndEvent) -> None:
        self.end = None if event.scores is None else event.scores.take()


@pytest.fixture(scope="module")
def watched() -> tuple[Taking, Run]:
    taking = Taking()
    return taking, hcat.characterize("wine", epochs=4, listeners=[taking], **SPEC)


def test_watching_changes_nothing(watched: tuple[Taking, Run]) -> None:
    _, run = watched
    alone = hcat.characterize("wine", epochs=4, **SPEC)
    pd.testing.assert_frame_equal(run.scores, alone.scores, check_exact=True)
    pd.testing.assert_frame_equal(run.flags, alone.flags, check_exact=True)
    pd.testing.assert_frame_equal(run.details, alone.details, check_exact=True)
    assert all((run.weights[name] == alone.weights[name]).all() for name in run.weights)


def test_scores_of_two_epochs_are_those_of_a_run_of_two(watched: tuple[Taking, Run]) -> None:
    taking, _ = watched
    short = hcat.characterize("wine", epochs=2, methods=STREAMING, **SPEC)
    for name in STREAMING:
        np.testing.assert_array_equal(taking.taken[2][name], short.scores[name])


def test_who_needs_the_final_model_scores_with_it(watched: tuple[Taking, Run]) -> None:
    taking, run = watched
    late = {name for name, moment in taking.methods.items() if moment == "final"}
    assert late == {"cleanlab", "conf_agree", "prototypicality", "allsh"} & set(run.methods)
    assert set(taking.taken[3]) == set(run.methods) - late
    assert set(taking.taken[4]) == set(run.methods)
    for scores in (taking.taken[4], taking.end):
        assert scores is not None
        for name in run.methods:
            np.testing.assert_array_equal(scores[name], run.scores[name])


def test_what_was_taken_is_never_written_again(watched: tuple[Taking, Run]) -> None:
    taking, _ = watched
    for epoch, copies in taking.copies.items():
        for name, values in copies.items():
            np.testing.assert_array_equal(taking.taken[epoch][name], values)
    with pytest.raises(ValueError, match="read-only"):
        taking.taken[1]["aum"][0] = 0
    with pytest.raises(TypeError):
        taking.taken[1]["aum"] = np.zeros(1)  # type: ignore[index]


def test_scores_are_made_once_and_only_if_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    scores = Method.scores

    def counted(self: Method) -> Any:
        made.append(self.name)
        return scores(self)

    monkeypatch.setattr(Method, "scores", counted)
    both = [Taking(lambda epoch: epoch == 2), Taking(lambda epoch: epoch == 2)]
    for one in both:
        one.on_end = lambda event: None  # type: ignore[method-assign]
    options: dict[str, Any] = {"epochs": 4, "judges": False, **SPEC}
    hcat.characterize("wine", methods=["aum", "loss"], listeners=both, **options)
    assert made == ["aum", "loss", "aum", "loss"]  # once at epoch 2, once for the run


def test_a_method_that_learned_nothing_is_not_scored_again(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    scores = Method.scores

    def counted(self: Method) -> Any:
        made.append(self.name)
        return scores(self)

    monkeypatch.setattr(Method, "scores", counted)
    hcat.characterize(
        "wine",
        epochs=8,
        methods=["vog", "aum"],
        method_options={"vog": {"checkpoints": [1, 4]}},
        listeners=[Taking()],
        **SPEC,
    )
    # Epochs 1 and 4, and once for the run.
    assert (made.count("vog"), made.count("aum")) == (3, 9)


def test_later_it_is_too_late() -> None:
    taking = Taking(lambda _: False)
    hcat.characterize("wine", epochs=1, methods=["aum"], listeners=[taking], **SPEC)
    (event,) = taking.events
    assert event.scores is not None
    with pytest.raises(HcatError, match="were not taken"):
        event.scores.take()


def test_who_needs_extra_trainings_scores_at_the_end() -> None:
    taking = Taking()
    run = hcat.characterize(
        "wine",
        epochs=2,
        methods=["aum", "cleanlab"],
        method_options={"aum": {"threshold_samples": True}, "cleanlab": {"cv": 2}},
        listeners=[taking],
        **SPEC,
    )
    # AUM's threshold samples only flag: its scores do not wait for them.
    assert taking.methods == {"aum": "epoch", "cleanlab": "end"}
    assert set(taking.taken[2]) == {"aum"}
    assert taking.end is not None
    for name in ("aum", "cleanlab"):
        np.testing.assert_array_equal(taking.end[name], run.scores[name])
