"""The bar in a terminal."""

from __future__ import annotations

import io

from hcat_nb.api.characterize import characterize
from hcat_nb.runs.execution.bar import TerminalBar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_it_shows_epoch_loss_and_accuracy(monkeypatch):
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    run = characterize("wine", epochs=2, methods="el2n", listeners=[TerminalBar()])
    shown = screen.getvalue()
    assert "dense on wine" in shown
    last = run.history.iloc[-1]
    assert f"epoch 2/2, loss {last['loss']:.4f}, accuracy {last['accuracy']:.3f}" in shown


def test_it_is_silent_where_there_is_no_terminal(monkeypatch):
    log = io.StringIO()
    monkeypatch.setattr("sys.stderr", log)
    characterize("wine", epochs=1, methods="el2n", listeners=[TerminalBar()])
    assert log.getvalue() == ""


def test_it_shows_extra_trainings(monkeypatch):
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    options = {"cleanlab": {"cv": 2}}
    bar = TerminalBar()
    characterize("wine", epochs=1, methods="cleanlab", method_options=options, listeners=[bar])
    assert "extra training 2/2 (fold 2 of 2), epoch 1/1" in screen.getvalue()
