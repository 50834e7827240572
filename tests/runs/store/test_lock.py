"""One owner at a time, who is named; a lock goes with its process."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from hcat_nb.api.characterize import characterize
from hcat_nb.api.rescore import rescore
from hcat_nb.api.resume import resume
from hcat_nb.api.run import Run
from hcat_nb.errors import StoreError
from hcat_nb.runs.store.lock import LOCK, owned
from hcat_nb.sweeps.sweep import sweep

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="other processes are forked")


def _other_owner(folder: Path, file: str | None = None) -> Callable[[], int]:
    """Let another process own ``folder``; return what kills it and gives its number."""
    told, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            with owned(folder, "a run", file):
                os.write(tell, b".")
                signal.pause()
        finally:
            os._exit(1)  # never back to the tests
    os.close(tell)
    with open(told, "rb") as end:
        assert end.read(1) == b"."  # it owns it from now on

    def kill() -> int:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        return pid

    return kill


def test_another_process_is_named_and_a_kill_frees(tmp_path: Path) -> None:
    kill = _other_owner(tmp_path / "run")
    try:
        with pytest.raises(StoreError) as refused, owned(tmp_path / "run", "mine"):
            pytest.fail("two owners")
    finally:
        pid = kill()
    assert f"in use by process {pid} on " in str(refused.value)
    assert ": a run; expected one owner at a time" in str(refused.value)
    assert (tmp_path / "run" / LOCK).exists()  # a kill leaves the file; it locks nothing
    with owned(tmp_path / "run", "mine"):
        assert [path.name for path in (tmp_path / "run").iterdir()] == [LOCK]
    assert list((tmp_path / "run").iterdir()) == []


def test_a_thread_of_this_process_is_another_owner(tmp_path: Path) -> None:
    with owned(tmp_path, "one"):
        with (
            pytest.raises(StoreError, match=f"process {os.getpid()}, which is this one"),
            owned(tmp_path, "two"),
        ):
            pytest.fail("two owners")
        with owned(tmp_path, "a file", "table.json"), owned(tmp_path / "other", "another"):
            pass
    with owned(tmp_path, "again"):
        pass


def test_a_child_does_not_hold_what_its_parent_held(tmp_path: Path) -> None:
    """A worker that outlives its parent would lock for ever."""
    told, tell = os.pipe()
    with owned(tmp_path, "the parent"):
        pid = os.fork()
        if pid == 0:
            try:
                os.close(tell)
                os.read(told, 1)
            finally:
                os._exit(0)
    os.close(told)
    try:
        with owned(tmp_path, "the next"):  # while the child lives
            pass
    finally:
        os.close(tell)  # which ends it
        os.waitpid(pid, 0)


def test_folders_that_were_made_and_stayed_empty_go(tmp_path: Path) -> None:
    with owned(tmp_path / "a" / "b", "nothing"):
        pass
    assert list(tmp_path.iterdir()) == []
    with owned(tmp_path / "a" / "b", "something"):
        (tmp_path / "a" / "b" / "file").touch()
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["file"]


def test_a_link_in_place_of_the_lock_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / LOCK).symlink_to(tmp_path / "mine.txt")
    with pytest.raises(StoreError, match="cannot be written"), owned(tmp_path / "run", "a run"):
        pytest.fail("it was followed")
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_whoever_writes_a_run_is_refused_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    run = characterize("wine", epochs=1, methods="el2n", keep_dynamics="probs", out=folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    kill = _other_owner(folder)

    def never(*_arguments: object, **_more: object) -> None:
        pytest.fail("work began")

    monkeypatch.setattr("hcat_nb.runs.execution.carry_out.seen_fingerprint", never)
    monkeypatch.setattr("hcat_nb.runs.store.saving._write", never)
    try:
        for act in (
            lambda: characterize("wine", epochs=1, out=folder, overwrite=True),
            lambda: rescore(folder, "loss"),
            lambda: run.save(folder, overwrite=True),
        ):
            with pytest.raises(StoreError, match=r"in use by process .*; to mend it: wait"):
                act()
    finally:
        kill()
    (folder / LOCK).unlink()
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


DIES = """
import os
from hcat_nb.api.characterize import characterize
from hcat_nb.training.events import Listener

class Dies(Listener):
    def on_epoch(self, event):
        os._exit(0)

characterize("wine", epochs=2, methods="el2n", out={folder!r}, listeners=[Dies()])
os._exit(1)
"""


@pytest.mark.slow
def test_a_checkpoint_is_resumed_by_one(
    tmp_path: Path, forked: Callable[[str], subprocess.CompletedProcess[str]]
) -> None:
    # no child of this process: torch trains in none once a device was used here
    done = forked(DIES.format(folder=str(tmp_path / "r")))
    assert done.returncode == 0, done.stdout
    kill = _other_owner(tmp_path / "r")
    try:
        with pytest.raises(StoreError, match="in use by process"):
            resume(tmp_path / "r")
    finally:
        kill()
    assert resume(tmp_path / "r").info["resumed"] == [{"seed": 0, "epoch": 1}]


def test_a_sweep_has_one_owner(tmp_path: Path) -> None:
    kill = _other_owner(tmp_path)
    (tmp_path / "sweep.json").write_text("{}")
    try:
        with pytest.raises(StoreError, match="in use by process"):
            sweep([{"dataset": "wine"}], out=tmp_path)
    finally:
        kill()
    assert (tmp_path / "sweep.json").read_text() == "{}"


def test_a_decision_is_written_by_one_and_who_wrote_between_is_named(
    tmp_path: Path, table_run: Run
) -> None:
    from hcat_nb.runs.review.decisions import Decisions
    from hcat_nb.runs.review.samples import Samples

    samples = Samples(table_run.details.index, table_run.details["label"].array)
    file = tmp_path / "run.decisions.json"
    mine = Decisions(samples, file)
    kill = _other_owner(tmp_path, file.name)
    try:
        with pytest.raises(StoreError, match=r"run.decisions.json is in use by process"):
            mine.keep([0])
    finally:
        kill()
    assert len(mine) == 0
    if (pid := os.fork()) == 0:
        try:
            Decisions(samples, file).drop([1])
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(pid, 0)[1] == 0
    with pytest.raises(StoreError, match=rf"was changed by process {pid} on "):
        mine.keep([0])
    assert Decisions(samples, file).of(1) is not None
