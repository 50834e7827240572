"""Dask: a scheduler and two workers as processes of their own, one of them killed mid-run."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from hcat_nb.errors import HcatError
from hcat_nb.sweeps._team import do_here, end_here
from hcat_nb.sweeps._workers import WorkerLostError
from hcat_nb.sweeps.progress import SweepProgress
from hcat_nb.sweeps.sweep import Stop, sweep

pytestmark = pytest.mark.slow

distributed = pytest.importorskip("distributed", reason="needs the extra `sweep`")

N_RUNS = 8
Join = Callable[[str], subprocess.Popen[bytes]]


@pytest.fixture
def start(tmp_path: Path, repository: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts a program of Dask; it ends with the test."""
    own = {
        "PYTHONPATH": os.pathsep.join([str(repository), os.environ.get("PYTHONPATH", "")]),
        "OMP_NUM_THREADS": "1",
    }
    with ExitStack() as stack:
        log = stack.enter_context((tmp_path / "dask.log").open("ab"))

        def begin(program: str, *words: str) -> subprocess.Popen[bytes]:
            command = [sys.executable, "-m", f"distributed.cli.{program}", *words]
            process = stack.enter_context(
                subprocess.Popen(command, cwd=tmp_path, env={**os.environ, **own}, stderr=log)
            )
            stack.callback(process.kill)
            return process

        yield begin


@pytest.fixture
def address(start: Callable[..., subprocess.Popen[bytes]], tmp_path: Path) -> str:
    """Where a scheduler without workers listens, at a port that it chose itself."""
    told = tmp_path / "scheduler.json"
    scheduler = start(
        *("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"),
        *("--scheduler-file", str(told)),
    )
    while True:
        assert scheduler.poll() is None, (tmp_path / "dask.log").read_text()
        with suppress(FileNotFoundError, json.JSONDecodeError):  # not yet, or not wholly
            return str(json.loads(told.read_text())["address"])
        time.sleep(0.05)


@pytest.fixture
def join(start: Callable[..., subprocess.Popen[bytes]], address: str, tmp_path: Path) -> Join:
    """Starts a worker of one thread, joined to the scheduler."""
    words = ("dask_worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard")
    return lambda name: start(*words, "--local-directory", str(tmp_path / name))


@pytest.fixture
def workers(join: Join, address: str) -> list[subprocess.Popen[bytes]]:
    """Two workers."""
    started = [join(name) for name in "ab"]
    with distributed.Client(address, timeout=300, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=300)
    return started


def _events(out: Path) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for path in out.glob("*/attempts.jsonl")
        for line in path.read_text().splitlines()
    ]


def test_a_worker_that_is_killed_loses_nothing(
    workers: list[subprocess.Popen[bytes]], address: str, tmp_path: Path, tiny: dict[str, Any]
) -> None:
    out = tmp_path / "out"
    family: list[psutil.Process] = []

    def kill() -> None:
        victim = psutil.Process(workers[0].pid)
        while not any(one["event"] == "done" for one in _events(out)):
            time.sleep(0.05)
        while True:  # it is at a run: one that its process began and did not end
            mine = {one.pid for one in victim.children(recursive=True)}
            of_mine = [one["event"] for one in _events(out) if one["pid"] in mine]
            if of_mine.count("started") > sum(one != "started" for one in of_mine):
                break
            time.sleep(0.01)
        family.extend([victim, *victim.children(recursive=True)])
        victim.send_signal(signal.SIGKILL)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    done = sweep({"base": tiny, "total_runs": N_RUNS, "fix_seed": True}, out=out, scheduler=address)
    killer.join(300)
    assert (done.done, done.failures) == (N_RUNS, [])
    psutil.wait_procs(family, timeout=300)
    assert family
    assert not [one for one in family if one.is_running()]  # no orphans
    events = _events(out)
    for folder in out.glob("*-*/"):
        own = [json.loads(one) for one in (folder / "attempts.jsonl").read_text().splitlines()]
        assert [one["event"] for one in own].count("done") == 1
    assert sum(one["event"] == "started" for one in events) == N_RUNS + 1  # the one that was lost
    assert done.results()["run"].nunique() == N_RUNS


class _Ending:
    """Lets a worker join when the sweep waits for one, and ends the sweep after its first run."""

    def __init__(self, join: Join) -> None:
        self.stop = Stop()
        self._join = join
        self.waited = False

    def show(self, progress: SweepProgress) -> None:
        if progress.waiting and not self.waited:
            self.waited = True
            self._join("late")
        if progress.done:
            self.stop.soon.set()

    def end(self) -> None:
        pass


def test_workers_may_come_later_and_a_soft_end_takes_back_what_did_not_begin(
    join: Join, address: str, tmp_path: Path, tiny: dict[str, Any]
) -> None:
    plan = {"base": tiny, "total_runs": N_RUNS, "fix_seed": True}
    ending = _Ending(join)
    options = {"scheduler": address, "listener": ending, "stop": ending.stop}
    first = sweep(plan, out=tmp_path / "out", **options)
    assert ending.waited
    assert 0 < first.done < N_RUNS
    assert first.failures == []
    events = [one["event"] for one in _events(tmp_path / "out")]
    assert events.count("started") == events.count("done") == first.done
    assert sweep(plan, out=tmp_path / "out", scheduler=address).done == N_RUNS


def test_a_run_that_arrives_after_the_end_starts_no_process(
    tmp_path: Path, tiny: dict[str, Any], request_of: Callable[..., dict[str, Any]]
) -> None:
    end_here("over")
    with pytest.raises(WorkerLostError, match="the sweep was ended"):
        do_here(request_of(tiny), "over", 1)
    assert not any(tmp_path.iterdir())


def test_an_address_where_nobody_answers_is_told(
    tmp_path: Path, tiny: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hcat_nb.sweeps._team._CONNECT_SECONDS", 1)
    with socket.socket() as silent:  # holds the port, and does not listen
        silent.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(HcatError, match="no Dask scheduler answers at tcp://127"):
            sweep([tiny], out=tmp_path / "out", scheduler=address)


def test_a_local_team_does_it_too(tmp_path: Path, tiny: dict[str, Any]) -> None:
    done = sweep([tiny], out=tmp_path / "out", scheduler="local", workers=1)
    assert done.done == 1


def test_without_dask_the_extra_is_named(
    tmp_path: Path, tiny: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(HcatError, match=r"pip install 'hcat-nb\[sweep\]'"):
        sweep([tiny], out=tmp_path / "out", scheduler="local")
