"""Of a run's folder only what is ours is replaced, whole or not at all."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from hcat_nb.errors import StoreError
from hcat_nb.runs.store.folder import (
    CHECKPOINT,
    is_run,
    nothing_of_a_users,
    remove_run,
    replaced,
    settle,
    within,
)

OLD = {"run.json": "old", "scores.parquet": "old", "dynamics.parquet": "old"}
OLD |= {f"logits/epoch_000{epoch}.parquet": "old" for epoch in (1, 2, 3)}
NEW = {"run.json": "new", "scores.parquet": "new", "details.parquet": "new"}
NEW |= {f"logits/epoch_000{epoch}.parquet": "new" for epoch in (1, 2)}
SAVED = {f"{CHECKPOINT}/checkpoint.json": "{}", f"{CHECKPOINT}/small-0-1.safetensors": "x"}
SAVED |= {f"{CHECKPOINT}/seed_0/run.json": "seed", f"{CHECKPOINT}/logits/epoch_0001.parquet": "x"}
MINE = {"notes.md": "mine", "figs/a.png": "mine", f"{CHECKPOINT}/why.txt": "mine"}
MINE |= {"logits/mine.parquet": "mine", "run.json.bak": "mine"}


def fill(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def content(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


def replace(folder: Path, keep_checkpoint: bool) -> None:
    with replaced(folder, keep_checkpoint=keep_checkpoint) as draft:
        fill(draft, NEW)


@pytest.mark.parametrize("keep", [True, False])
def test_what_is_a_users_stays(keep: bool, tmp_path: Path) -> None:
    fill(tmp_path, OLD | SAVED | MINE)
    replace(tmp_path, keep)
    assert content(tmp_path) == NEW | MINE | (SAVED if keep else {})


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
@pytest.mark.parametrize("keep", [True, False])
def test_a_kill_at_any_moment_leaves_the_old_run_or_the_new_one(keep: bool, tmp_path: Path) -> None:
    before, after = OLD | SAVED | MINE, NEW | MINE | (SAVED if keep else {})
    seen = []
    for moment in range(200):
        folder = tmp_path / str(moment)
        fill(folder, before)
        if (pid := os.fork()) == 0:
            try:
                _dies_at(moment)
                replace(folder, keep)
                os._exit(0)
            finally:
                os._exit(1)
        finished = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        settle(folder)
        ours = {
            name: text for name, text in content(folder).items() if not name.startswith(".draft-")
        }
        assert ours in (before, after), moment
        seen.append(ours == after)
        replace(folder, keep)  # whoever comes next is not in the way of what is left
        assert content(folder) == after
        if finished:
            break
    assert finished
    assert seen == sorted(seen)  # from one moment on it is the new one
    assert 10 < seen.index(True) < len(seen) - 10  # moments on both sides were tried


def _dies_at(moment: int) -> None:
    """End this process before its file operation number ``moment``."""
    events = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "open"}
    left = iter(range(moment, -1, -1))

    def look(event: str, _arguments: object) -> None:
        if event in events and next(left, None) == 0:
            os._exit(9)

    sys.addaudithook(look)


def test_an_error_before_the_moves_leaves_the_old_run_and_no_draft(tmp_path: Path) -> None:
    fill(tmp_path, OLD)

    def fails() -> None:
        with replaced(tmp_path, keep_checkpoint=True) as draft:
            fill(draft, NEW)
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        fails()
    assert content(tmp_path) == OLD


def test_an_error_between_the_moves_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, OLD | SAVED)
    real, left = Path.replace, iter(range(4))

    def fails(path: Path, target: Path) -> Path:
        if next(left, None) == 3:
            raise PermissionError("a virus scanner holds it")
        return real(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", fails)
        with pytest.raises(PermissionError):
            replace(tmp_path, keep_checkpoint=True)
    settle(tmp_path)
    assert content(tmp_path) == NEW | SAVED


def test_a_strangers_small_file_moves_and_removes_nothing_else(tmp_path: Path) -> None:
    fill(tmp_path, {"mine.txt": "mine", "run/.draft-12345678/run.json": "x"})
    swap = {"draft": ".draft-12345678", "gone": [], "keep_checkpoint": True}
    for change in ({"gone": ["../mine.txt"]}, {"draft": ".."}, {"gone": ["/etc/hosts"]}):
        (tmp_path / "run" / ".swap.json").write_text(json.dumps(swap | change))
        with pytest.raises(StoreError, match="names files that no run writes"):
            settle(tmp_path / "run")
    (tmp_path / "run" / ".swap.json").write_text("{")
    with pytest.raises(StoreError, match="cannot be read"):
        settle(tmp_path / "run")
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_links_are_cut_and_never_followed(tmp_path: Path) -> None:
    mine = {"epoch_0001.parquet": "mine", "checkpoint.json": "mine", "a.safetensors": "mine"}
    fill(tmp_path / "mine", mine)
    for name in ("logits", CHECKPOINT):
        folder = tmp_path / name
        fill(folder, {"run.json": "old"})
        (folder / name).symlink_to(tmp_path / "mine")
        replace(folder, keep_checkpoint=False)
        assert content(folder) == NEW
        (folder / CHECKPOINT).symlink_to(tmp_path / "mine")
        remove_run(folder)
        assert not folder.exists()
    assert content(tmp_path / "mine") == mine
    (tmp_path / "link").symlink_to(tmp_path / "mine")
    with pytest.raises(StoreError, match="is a link"):
        within(tmp_path, "link")


def test_removing_a_run_leaves_what_is_a_users(tmp_path: Path) -> None:
    fill(tmp_path / "run", OLD | SAVED | MINE)
    remove_run(tmp_path / "run")
    assert content(tmp_path / "run") == MINE
    fill(tmp_path / "other", OLD | SAVED)
    remove_run(tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_a_run_is_known_by_its_content(tmp_path: Path) -> None:
    assert not is_run(tmp_path)
    for text, ours in (
        ("{", False),
        ("[]", False),
        ("[" * 5000, False),
        ('{"my": "config"}', False),
        ('{"schema_version": 1, "spec": {}, "info": {}}', True),
    ):
        (tmp_path / "run.json").write_text(text)
        assert is_run(tmp_path) == ours


def test_rests_of_a_run_that_never_began_are_nothing(tmp_path: Path) -> None:
    fill(tmp_path, {".lock": "", ".draft-12345678/run.json": "x"})
    assert nothing_of_a_users(tmp_path)
    fill(tmp_path, {".draft-of-my-thesis": "mine"})
    assert not nothing_of_a_users(tmp_path)
