"""One training for each seed; what resuming has to do with it stands in test_resume.py."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
import torch
from torch import nn

from hcat_nb.api.characterize import characterize
from hcat_nb.api.run import load_run
from hcat_nb.data.loading import load
from hcat_nb.errors import DivergedError, SpecError, StoreError
from hcat_nb.runs.execution.pipeline import Pipeline
from hcat_nb.runs.store import atomic as _atomic
from hcat_nb.runs.store.checkpoint import read_index
from hcat_nb.training.events import Listener


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
    with pytest.raises(SpecError, match="seeds is 0; expected at least 1"):
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
