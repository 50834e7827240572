from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from hcat_nb.jupyter.progress import ProgressBar
from hcat_nb.training.events import EndEvent, ExtraEvent, StepEvent


def test_a_run_from_start_to_end(made_up_run: Any) -> None:
    run = made_up_run(n_epochs=4)
    state = ProgressBar.started(run.start)
    assert (state.share, state.line()) == (0.0, "epoch 0/4")
    assert state.title() == "<b>trees</b>, lenet on cpu"
    state = state.after_step(StepEvent(epoch=1, step=2, n_steps=4))
    assert (state.share, state.line()) == (0.125, "epoch 1/4, batch 2/4")
    state = state.after_epoch(run.epoch(1))
    assert state.share == 0.25
    assert state.line() == "epoch 1/4 · loss 1.000 · accuracy 25.0 % · 0:06 left"
    assert state.heading() == "<b>trees</b>, epoch 1 of 4"
    stopped = state.ended(EndEvent("stopped", 1))
    assert stopped.share == 0.25
    assert stopped.line() == "stopped after epoch 1/4 · loss 1.000 · accuracy 25.0 % · 0:02 in all"
    assert state.ended(EndEvent("finished", 4)).share == 1.0


def test_before_it_starts() -> None:
    assert ProgressBar().line() == "preparing"
    assert ProgressBar().share == 0.0


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "0:01 left"), (59.5, "1:00 left"), (3725.0, "1:02:05 left")]
)
def test_the_time_left(seconds: float, words: str) -> None:
    state = ProgressBar("digits", n_epochs=2, epoch=1, remaining=seconds)
    assert state.line().endswith(words)


def test_a_failure_says_why() -> None:
    state = ProgressBar("digits", n_epochs=2).ended(EndEvent("failed", 0, "ValueError: no"))
    assert state.line() == "failed after epoch 0/2 · ValueError: no"
    assert dataclasses.is_dataclass(state)


def test_an_extra_training_is_announced_and_forgotten_at_the_end() -> None:
    extra = ExtraEvent("fold 2 of 5", 2, 5, epoch=3, n_epochs=4, step=1, n_steps=9)
    state = ProgressBar("digits", n_epochs=4, epoch=4, remaining=3.0).after_extra(extra)
    assert state.line() == "epoch 4/4 · extra training 2/5 (fold 2 of 5), epoch 3/4"
    assert state.share == 1.0
    assert state.ended(EndEvent("finished", 4)).line() == "finished after epoch 4/4"
