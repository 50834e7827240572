"""One training for each seed; what resuming has to do with it stands in test_resume.py."""

from __future__ import annotations

import contextlib
import gc
import weakref

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from hcat_nb.api.characterize import characterize
from hcat_nb.api.run import load_run
from hcat_nb.data.loading import load
from hcat_nb.errors import DivergedError, SpecError, StoreError
from hcat_nb.observation.dynamics import MapSnapshot
from hcat_nb.runs.execution.carry_out import Relay
from hcat_nb.runs.execution.pipeline import Pipeline
from hcat_nb.runs.store import atomic as _atomic
from hcat_nb.runs.store.checkpoint import read_index
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
        self.said.append(event.n_epochs)

    def on_epoch(self, event):
        self.said.append(event.epoch)

    def on_end(self, event):
        self.said.append(event.outcome)


def test_listeners_hear_one_run(tmp_path):
    diary = Diary()
    characterize("wine", epochs=2, seeds=2, methods="el2n", listeners=[diary], out=tmp_path / "r")
    assert diary.said == [4, 1, 2, 3, 4, "finished"]
    assert load_run(tmp_path / "r").spec.seeds == 2


def test_the_data_are_loaded_once(monkeypatch):
    calls = []

    def counted(*arguments, **options):
        calls.append(arguments)
        return load(*arguments, **options)

    monkeypatch.setattr("hcat_nb.data.loading.load", counted)
    run = characterize("wine", epochs=1, seeds=3, methods="el2n", hardness="uniform")
    assert len(calls) == 1
    assert not np.array_equal(*(scores["el2n"] for scores in run.by_seed()[:2]))


def test_a_mistake_in_the_seeds_comes_before_training(tmp_path):
    with pytest.raises(SpecError, match="seeds is 0; expected from 1 to 10,000"):
        characterize("wine", seeds=0)
    with pytest.raises(SpecError, match="model_seed"):
        characterize("wine", seed=2**31 - 1, seeds=2, out=tmp_path / "r")
    assert not (tmp_path / "r").exists()


def test_a_diverging_run_leaves_its_epochs_and_no_checkpoint(tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 3)), rng.integers(0, 2, 60)
    nets: list[nn.Linear] = []

    def make() -> nn.Module:
        nets.append(nn.Linear(3, 2))
        return nets[-1]

    class Breaks(Listener):
        def __init__(self, moment: str) -> None:
            setattr(self, moment, lambda event: nets[-1].weight.data.fill_(torch.nan))

    for moment, there in (("on_epoch", True), ("on_start", False)):
        folder = tmp_path / moment
        options = {"epochs": 3, "methods": "el2n", "out": folder, "listeners": [Breaks(moment)]}
        with pytest.raises(DivergedError) as caught:
            characterize(x, y, model=make, **options)
        assert (caught.value.run is not None) == (folder / "run.json").exists() == there
        assert not (folder / "checkpoint").exists()
        assert folder.exists() == there


class Reads(Listener):
    def __init__(self, folder):
        self.folder = folder
        self.epochs: list[int] = []

    def on_epoch(self, event):
        self.epochs.append(read_index(self.folder)["epoch"])


def test_there_is_a_checkpoint_when_listeners_hear_of_an_epoch(tmp_path):
    reads = Reads(tmp_path / "r")
    characterize("wine", epochs=3, methods="el2n", out=tmp_path / "r", listeners=[reads])
    assert reads.epochs == [1, 2, 3]


def test_a_failure_stops_the_run(tmp_path, monkeypatch):
    class Fills(Listener):
        """Lets the disk be full from the second epoch on."""

        def on_epoch(self, event):
            def flush(path):
                raise OSError(28, "No space left on device")

            monkeypatch.setattr(_atomic, "flush", flush)

    with pytest.raises(StoreError, match="No space left"):
        characterize("wine", epochs=3, methods="el2n", out=tmp_path / "r", listeners=[Fills()])
    assert read_index(tmp_path / "r")["epoch"] == 1


def test_no_cycle_keeps_the_study_alive(tmp_path, monkeypatch):
    studies = []
    prepare = Pipeline.prepare

    def watched(self, *arguments):
        studies.append(weakref.ref(self))
        prepare(self, *arguments)

    monkeypatch.setattr(Pipeline, "prepare", watched)
    gc.collect()
    gc.disable()
    try:
        characterize("wine", epochs=1, methods="el2n", out=tmp_path / "r")
        assert studies[0]() is None
    finally:
        gc.enable()


class RelayDiary(Listener):
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
    diary = RelayDiary()
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
    class Hears(RelayDiary):
        def on_extra(self, event):
            self.said.append(event)

    hears, event = Hears(), ExtraEvent("fold 1 of 2", 1, 2, 0, 2, 0, 1)
    Relay(hears, 2).on_extra(event)
    assert hears.said == [event]


def test_a_stop_is_the_end():
    diary = RelayDiary()
    relay = Relay(diary, 3)
    train(relay, 0)
    train(relay, 1, "stopped", epochs=1)
    assert diary.said[-1] == ("stopped", 3)


def test_who_failed_hears_no_more():
    class Fails(RelayDiary):
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
