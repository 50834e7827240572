"""The listener between a training and its journal."""

from __future__ import annotations

import gc
import weakref

import pytest

from hcat_nb.errors import StoreError
from hcat_nb.runs import _atomic
from hcat_nb.runs._checkpoint import read_index
from hcat_nb.runs._study import Study
from hcat_nb.runs.characterize import characterize
from hcat_nb.training.events import Listener


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
    prepare = Study.prepare

    def watched(self, *arguments):
        studies.append(weakref.ref(self))
        prepare(self, *arguments)

    monkeypatch.setattr(Study, "prepare", watched)
    gc.collect()
    gc.disable()
    try:
        characterize("wine", epochs=1, methods="el2n", out=tmp_path / "r")
        assert studies[0]() is None
    finally:
        gc.enable()
