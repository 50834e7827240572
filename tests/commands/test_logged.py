"""The log is what was done, and nothing unasked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hcat_nb.cli import main


def test_a_log_says_what_was_done_and_is_silent_unasked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["run", "wine", "--epochs", "1", "--methods", "el2n", "--hardest", "0"]
    main(words)
    assert "hcat_nb.runs" not in capsys.readouterr().err
    main([*words, "--log-file", str(tmp_path / "log.txt"), "-v"])
    line = r"INFO hcat_nb\.runs\.execution\.carry_out: wine begins: dense, 1 epochs, cpu"
    assert re.search(line, (tmp_path / "log.txt").read_text())
    assert re.search(line, capsys.readouterr().err)
    assert main([*words, "--log-file", str(tmp_path / "absent" / "log.txt")]) == 2


def test_v_of_a_listing_asks_for_cards_not_for_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["methods", "aum", "-v"]) == 0
    assert capsys.readouterr().err == ""
