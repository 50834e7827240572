"""Sweeps from end to end: killed, interrupted, resumed; what fails is listed (reports A33, A35)."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from hcat_nb.errors import HcatError, SpecError, StoreError, UnknownNameError
from hcat_nb.runs.store.digests import sealed, unsealed
from hcat_nb.sweeps import grid
from hcat_nb.sweeps.progress import SweepProgress
from hcat_nb.sweeps.sweep import Stop, Sweep, sweep

N_RUNS = 12
# Killed when so many are complete; and whether the workers and kernels are killed
# by us too, or left to notice that they are orphans.
MOMENTS = [(1, True), (4, False), (7, True)]


def _plan(tiny: dict[str, Any], n_runs: int = N_RUNS) -> dict[str, Any]:
    return {"base": tiny, "total_runs": n_runs, "fix_seed": True}


def _complete(out: Path) -> dict[str, tuple[int, int]]:
    """Return, by address, what tells whether a finished run was written again."""
    found = {}
    for path in out.glob("*/state.json"):
        if json.loads(path.read_text())["state"] == "done":
            record = (path.parent / "run/run.json").stat()
            found[path.parent.name] = (record.st_ino, record.st_mtime_ns)
    return found


def _start(source: Path, repository: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "hcat_nb", "sweep", str(source), "--workers", "2"],
        cwd=repository,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _await(process: subprocess.Popen[str], out: Path, n: int) -> None:
    while len(_complete(out)) < n:
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)


@pytest.mark.slow
def test_killed_at_three_moments_nothing_is_lost_or_repeated(
    tmp_path: Path, tiny: dict[str, Any], repository: Path
) -> None:
    out, source = tmp_path / "out", tmp_path / "sweep.yaml"
    source.write_text(json.dumps({**_plan(tiny), "out": str(out)}))  # JSON is YAML
    before: dict[str, tuple[int, int]] = {}
    for n, all_of_them in MOMENTS:
        with _start(source, repository) as process:
            _await(process, out, n)
            family = psutil.Process(process.pid).children(recursive=True)
            for one in [psutil.Process(process.pid), *(family if all_of_them else [])]:
                with suppress(psutil.NoSuchProcess):  # a kernel ends with its worker
                    one.send_signal(signal.SIGKILL)
            assert process.wait(300) == -signal.SIGKILL
            psutil.wait_procs(family, timeout=300)
            assert not [one for one in family if one.is_running()]  # no orphans
        complete = _complete(out)
        assert n <= len(complete) < N_RUNS
        assert before.items() <= complete.items()  # not written again
        before = complete
    done = sweep(out, workers=2)
    assert (done.done, done.failures, done.skipped) == (N_RUNS, [], len(before))
    assert before.items() <= _complete(out).items()
    for folder in out.glob("*-*/"):
        events = [json.loads(line) for line in (folder / "attempts.jsonl").read_text().splitlines()]
        assert [one["event"] for one in events].count("done") == 1
    table = done.results()
    assert table["run"].nunique() == N_RUNS
    assert sorted(table.loc[table["hcm"] == "el2n", "model_seed"]) == list(range(N_RUNS))
    assert set(table["data_seed"]) == {0}


def _kernel_of(folder: Path) -> psutil.Process | None:
    """Return the kernel that works in ``folder``, once it trains."""
    if not list(folder.glob("run/checkpoint/*.json")):
        return None
    began = json.loads((folder / "attempts.jsonl").read_text().splitlines()[-1])
    # papermill's own process, the worker, is in that folder too.
    for one in psutil.Process(began["pid"]).children(recursive=True):
        if one.cwd() == str(folder):
            return one
    return None


@pytest.mark.slow
def test_a_killed_kernel_is_told_with_its_memory_and_stops_no_other(
    tmp_path: Path, tiny: dict[str, Any]
) -> None:
    failing, endless = {"lr": 1e30, "epochs": 3}, {"epochs": 100_000}
    runs = [tiny, tiny | failing, tiny | endless, *(tiny | {"seed": n} for n in (1, 2, 3))]
    addresses = [cell.address for cell in grid.read_plan(runs).cells]
    out = tmp_path / "out"
    killed: list[psutil.Process] = []

    def kill() -> None:
        while (kernel := _kernel_of(out / addresses[2])) is None:
            time.sleep(0.05)
        kernel.kill()
        killed.append(kernel)

    threading.Thread(target=kill, daemon=True).start()
    # The limit ends the run if nobody kills it; the others take seconds.
    done = sweep(runs, out=out, workers=1, time_limit=1000)
    assert killed
    states = [done.states[one]["state"] for one in addresses]
    assert states == ["done", "failed", "killed", "done", "done", "done"]
    assert done.states[addresses[2]]["memory_mb"] > 50
    text = str(done)
    assert "DivergedError" in text
    assert re.search(r"the kernel died at \d+ MB of memory", text)
    for address in addresses[1:3]:
        assert f"again: hcat sweep {done.out} --only {address}" in text
        assert (done.out / address / "benchmark.ipynb").is_file()
    assert done.results()["run"].nunique() == 4
    assert re.fullmatch(r"<Sweep: .*6 runs: 4 done, 2 failed \(print it .*\)>", repr(done))
    assert "\n" not in repr(done)
    again = sweep(done.out, only=[addresses[1][:8]])
    assert (again.skipped, len(again.failures)) == (0, 1)


class _Listener:
    """Keeps what it is shown, and asks to stop after the first run."""

    def __init__(self, stop: Stop) -> None:
        self.shown: list[SweepProgress] = []
        self.stop, self.ended = stop, False

    def show(self, progress: SweepProgress) -> None:
        self.shown.append(progress)
        if progress.done:
            self.stop.soon.set()

    def end(self) -> None:
        self.ended = True


@pytest.mark.slow
def test_progress_counts_and_a_soft_stop_finishes_what_runs(
    tmp_path: Path, tiny: dict[str, Any]
) -> None:
    listener = _Listener(Stop())
    first = sweep(
        _plan(tiny, 4), out=tmp_path / "out", workers=1, listener=listener, stop=listener.stop
    )
    assert (first.done, first.failures) == (2, [])  # the second had begun
    assert "2 to do" in repr(first)
    assert f"`hcat sweep {first.out}` goes on" in str(first)
    assert listener.ended
    seen = dict.fromkeys((one.done, one.running) for one in listener.shown)
    assert list(seen) == [(0, 1), (1, 1), (2, 0)]
    rest = sweep(first.out, workers=1)
    assert (rest.done, rest.skipped) == (4, 2)


@pytest.mark.slow
def test_two_interrupts_end_it_and_leave_nobody(
    tmp_path: Path, tiny: dict[str, Any], repository: Path
) -> None:
    out, source = tmp_path / "out", tmp_path / "sweep.yaml"
    long = tiny | {"epochs": 100_000}
    source.write_text(json.dumps({**_plan(long, 3), "out": str(out)}))
    with _start(source, repository) as process:
        while not list(out.glob("*/run/checkpoint/*.json")):
            assert process.poll() is None, process.communicate()
            time.sleep(0.1)
        family = psutil.Process(process.pid).children(recursive=True)
        waits = psutil.Process(process.pid).num_ctx_switches
        before = waits().voluntary
        process.send_signal(signal.SIGINT)
        while waits().voluntary < before + 5:  # it waits anew: the signal was handled
            time.sleep(0.1)
        assert process.poll() is None  # what runs goes on
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=300)
        psutil.wait_procs(family, timeout=300)
        assert not [one for one in family if one.is_running()]
    assert "3 to do" in printed
    assert process.returncode == 130  # interrupted; what comes after `&&` would not have all runs
    assert not _complete(out)


def test_a_path_may_begin_with_the_home_folder(
    tmp_path: Path, tiny: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "sweep.yaml").write_text(json.dumps({"runs": [tiny]}))  # JSON is YAML
    with pytest.raises(SpecError, match="no folder to write to"):  # it was read
        sweep("~/sweep.yaml")


@pytest.mark.slow
def test_other_code_is_never_mixed_in_silently(
    tmp_path: Path, tiny: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    old = sweep([tiny], out=tmp_path / "out")
    (address,) = old.states
    (folder,) = [path for path in old.out.iterdir() if path.name == address]
    state = unsealed((folder / "state.json").read_text())
    other = old.out / f"{address.partition('-')[0]}-00000000"
    folder.rename(other)  # as if other code had made it
    (other / "state.json").write_text(sealed({**state, "version": "00000000"}))
    again = sweep([tiny], out=old.out)
    assert not again.failures
    assert again.skipped == 0
    assert other.is_dir()
    with (
        pytest.warns(UserWarning, match="2 versions of the code"),
        pytest.warns(UserWarning, match="not of the plan that it began last: 1 .*planned=True"),
    ):
        table = again.results()
    with pytest.warns(UserWarning, match="they are left out"):
        assert set(again.results(planned=True)["code_version"]) == {state["version"]}
    assert set(table["code_version"]) == {"00000000", state["version"]}
    assert set(again.results(version="00000000")["code_version"]) == {"00000000"}


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"source": {"sead": [3]}}, UnknownNameError, "no parameter 'sead'"),
        ({"out": None}, SpecError, "no folder to write to"),
        ({"out": 3}, SpecError, "out is 3; expected the path of a folder"),
        ({"workers": 0}, SpecError, "workers is 0; expected a whole number"),
        ({"time_limit": -1}, SpecError, "time_limit is -1; expected a positive number"),
        ({"memory_limit": True}, SpecError, "memory_limit is True"),
        ({"scheduler": 8786}, SpecError, "scheduler is 8786"),
        ({"only": ["zzz"]}, UnknownNameError, "no run 'zzz'"),
        ({"source": "."}, StoreError, "holds no sweep"),
    ],
)
def test_mistakes_are_told_before_anything_is_written(
    given: dict[str, Any],
    error: type[HcatError],
    words: str,
    tmp_path: Path,
    tiny: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    options = {"source": [tiny], "out": tmp_path / "out", **given}
    with pytest.raises(error, match=words):
        sweep(**options)
    assert not (tmp_path / "out").exists()


def test_the_address_says_the_version(tiny: dict[str, Any]) -> None:
    (cell,) = grid.read_plan([tiny]).cells
    assert cell.address.endswith(grid.code_version())
    assert os.sep not in cell.address


def test_a_run_that_broke_a_limit_is_repeated_with_more(tmp_path: Path) -> None:
    (cell,) = grid.read_plan([{"dataset": "wine"}]).cells
    state = {"state": "time limit", "error": "of 2 s reached", "address": cell.address}
    told = str(Sweep(tmp_path, (cell,), {cell.address: state}, skipped=0, seconds=2.0))
    assert f"again: hcat sweep {tmp_path} --only {cell.address} --time-limit MORE" in told
