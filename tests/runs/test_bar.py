"""The bar in a terminal."""

from __future__ import annotations

import io

from hcat_nb.runs.bar import TerminalBar
from hcat_nb.runs.characterize import characterize


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_it_shows_epoch_loss_and_accuracy(monkeypatch):
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    run = characterize("wine", epochs=2, methods="el2n", listeners=[TerminalBar()])
    shown = screen.getvalue()
    assert "mlp on wine" in shown
    last = run.history.iloc[-1]
    assert f"epoch 2/2, loss {last['loss']:.4f}, accuracy {last['accuracy']:.3f}" in shown


def test_it_is_silent_where_there_is_no_terminal(monkeypatch):
    log = io.StringIO()
    monkeypatch.setattr("sys.stderr", log)
    characterize("wine", epochs=1, methods="el2n", listeners=[TerminalBar()])
    assert log.getvalue() == ""
