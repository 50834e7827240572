from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from hcat_nb.sweeps import _workers
from hcat_nb.sweeps._state import done_state
from hcat_nb.sweeps._team import LocalPool, Team
from hcat_nb.sweeps._workers import (
    Worker,
    WorkerLostError,
    available_cores,
    thread_environment,
)


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Team]:
    team = Team(LocalPool(1), 1)
    yield team
    team.close()


def _next(team: Team) -> dict[str, Any]:
    while (state := team.next(1.0)) is None:
        pass
    return state


def _processes() -> list[psutil.Process]:
    """Return the workers that this process has started and that live."""
    found = []
    for one in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):  # gone, or about to be
            if "hcat_nb.sweeps.worker" in " ".join(one.cmdline()):
                found.append(one)
    return found


def test_threads_are_said_to_every_library() -> None:
    assert thread_environment(3)["OMP_NUM_THREADS"] == "3"
    assert 1 <= available_cores() <= (os.cpu_count() or 1)


@pytest.mark.slow
def test_a_worker_that_is_killed_is_replaced_and_the_run_done(
    workers: Team,
    tmp_path: Path,
    tiny: dict[str, Any],
    request_of: Callable[..., dict[str, Any]],
) -> None:
    assert workers.next(0.01) is None
    workers.submit(request_of(tiny))
    while not (tmp_path / "a/attempts.jsonl").exists():
        time.sleep(0.05)
    (process,) = _processes()
    process.send_signal(signal.SIGKILL)
    assert _next(workers)["state"] == "done"
    assert done_state(tmp_path / "a")
    assert (tmp_path / "a/attempts.jsonl").read_text().count('"started"') == 2
    workers.close()
    assert not _processes()


def test_a_worker_that_was_told_to_end_starts_no_process(
    tmp_path: Path, tiny: dict[str, Any], request_of: Callable[..., dict[str, Any]]
) -> None:
    worker = Worker(tmp_path, 1)
    worker.stop()  # a run that was just handed out comes after it
    with pytest.raises(WorkerLostError, match="the sweep was ended"):
        worker.run(request_of(tiny))
    assert not any(tmp_path.iterdir())


def test_a_worker_that_cannot_start_is_told(
    workers: Team,
    tiny: dict[str, Any],
    request_of: Callable[..., dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_workers.sys, "executable", "/absent/python")
    workers.submit(request_of(tiny))
    state = _next(workers)
    assert (state["state"], state["address"]) == ("failed", "a")
    assert "absent/python" in state["error"]
