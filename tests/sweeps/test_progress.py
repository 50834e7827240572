from __future__ import annotations

import io
import sys

import pytest

from hcat_nb.sweeps.progress import Standing, SweepProgress, TerminalProgress


def test_the_line_says_what_there_is_to_say() -> None:
    assert str(SweepProgress(8, 2)) == "2/8 done"
    line = str(SweepProgress(8, 2, done=3, failed=1, running=2, seconds_left=125))
    assert line == "5/8 done, 2 running, 1 failed, 2 min left"
    assert (
        str(SweepProgress(8, 2, seconds_left=125, waiting=True)) == "2/8 done, waiting for a worker"
    )
    assert "left" not in str(SweepProgress(3, 0, done=2, failed=1, seconds_left=0))


def test_best_so_far_is_who_has_a_figure_in_every_run() -> None:
    standing = Standing()
    assert str(standing) == ""
    standing.add([])  # a run without hardness
    rows = [("aum", "method", 0.8), ("vog", "method", 0.9), ("random", "baseline", 1.0)]
    metrics = [dict(zip(("hcm", "kind", "auroc"), row, strict=True)) for row in rows]
    standing.add(metrics)
    assert str(standing) == "best so far: vog, mean AUROC 0.90 of 1 run"
    standing.add([{**metrics[0], "auroc": 0.6}, {**metrics[1], "auroc": None}])
    assert str(standing) == "best so far: aum, mean AUROC 0.70 of 2 runs"


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_has_a_bar_and_a_file_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream, words in ((_Terminal(), "2/4 done, 1 running"), (io.StringIO(), "")):
        monkeypatch.setattr(sys, "stderr", stream)
        bar = TerminalProgress()
        bar.show(SweepProgress(4, 1, running=2))
        bar.show(SweepProgress(4, 1, done=1, running=1))
        bar.end()
        assert words in stream.getvalue()
        assert bool(stream.getvalue()) == bool(words)
    TerminalProgress().end()  # one that had nothing to show


def test_a_hidden_bar_is_silent_in_a_terminal_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := _Terminal())
    bar = TerminalProgress(hidden=True)
    bar.show(SweepProgress(4, 1, running=2))
    bar.end()
    assert terminal.getvalue() == ""
