"""A listener hears several trainings as one."""

from __future__ import annotations

import contextlib

import numpy as np
import pandas as pd
import pytest

from hcat_nb.observation.dynamics import MapSnapshot
from hcat_nb.runs.execution.relay import Relay
from hcat_nb.training.events import (
    EndEvent,
    EpochEvent,
    ExtraEvent,
    Listener,
    StartEvent,
    StepEvent,
)

ZERO = np.zeros(1, np.float32)
START = StartEvent(2, 1, "toy", "mlp", "cpu", pd.RangeIndex(1), np.zeros(1, np.int64), ("a",))


class Diary(Listener):
    def __init__(self) -> None:
        self.said: list[object] = []

    def on_start(self, event):
        self.said.append(("start", event.n_epochs))

    def on_step(self, event):
        self.said.append(("step", event.epoch))

    def on_epoch(self, event):
        assert event.map.epoch == event.epoch
        assert event.remaining >= 0
        self.said.append((event.epoch, event.n_epochs))

    def on_end(self, event):
        self.said.append((event.outcome, event.epochs))


def train(relay: Relay, number: int, outcome="finished", epochs=2) -> None:
    relay.at(number)
    relay.on_start(START)
    for epoch in range(1, epochs + 1):
        relay.on_step(StepEvent(epoch, 1, 1))
        place = MapSnapshot(epoch, *[ZERO] * 5)
        relay.on_epoch(EpochEvent(epoch, 2, 0.5, 0.5, 1.0, 1.0, place))
    relay.on_end(EndEvent(outcome, epochs))


def test_epochs_count_on_between_one_start_and_one_end():
    diary = Diary()
    relay = Relay(diary, 2)
    train(relay, 0)
    train(relay, 1)
    epochs = [one for one in diary.said if one[0] not in ("start", "step", "finished")]
    assert epochs == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert diary.said[0] == ("start", 4)
    assert diary.said[-1] == ("finished", 4)
    assert [one for one in diary.said if one[0] == "step"] == [("step", k) for k in (1, 2, 3, 4)]
    assert sum(one[0] in ("start", "finished") for one in diary.said) == 2


def test_extra_trainings_are_heard():
    class Hears(Diary):
        def on_extra(self, event):
            self.said.append(event)

    hears, event = Hears(), ExtraEvent("fold 1 of 2", 1, 2, 0, 2, 0, 1)
    Relay(hears, 2).on_extra(event)
    assert hears.said == [event]


def test_a_stop_is_the_end():
    diary = Diary()
    relay = Relay(diary, 3)
    train(relay, 0)
    train(relay, 1, "stopped", epochs=1)
    assert diary.said[-1] == ("stopped", 3)


def test_who_failed_hears_no_more():
    class Fails(Diary):
        def on_epoch(self, event):
            super().on_epoch(event)
            raise ValueError

    fails = Fails()
    relay = Relay(fails, 2)
    with pytest.raises(ValueError):  # noqa: PT011
        train(relay, 0)
    said = len(fails.said)
    with contextlib.suppress(ValueError):
        train(relay, 1)
    assert len(fails.said) == said
