from __future__ import annotations

import json
from pathlib import Path

import pytest

from hcat_nb.sweeps._state import done_state, note_attempt, read_state, write_state


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that holds what a finished run leaves."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run/run.json").write_text("{}")
    (tmp_path / "benchmark.ipynb").write_text("{}")
    write_state(tmp_path, {"state": "done"})
    return tmp_path


def test_a_run_done_state_with_all_its_parts(folder: Path) -> None:
    assert done_state(folder)
    assert read_state(folder) == {"state": "done"}
    write_state(folder, {"state": "failed"})
    assert not done_state(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}"])
def test_a_state_that_cannot_be_read_is_none(folder: Path, text: str) -> None:
    (folder / "state.json").write_text(text)
    assert read_state(folder) is None
    assert not done_state(folder)


def test_attempts_are_lines(tmp_path: Path) -> None:
    for event in ("started", "done"):
        note_attempt(tmp_path, {"event": event})
    lines = (tmp_path / "attempts.jsonl").read_text().splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["started", "done"]
