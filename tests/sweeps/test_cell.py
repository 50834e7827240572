"""One run of a sweep, and how it is told that it did not end well: reports A34 and A35."""

from __future__ import annotations

import ast
import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest

from hcat_nb.api.run import load_run
from hcat_nb.sweeps._cell import FORKS, kernel_manager, run_cell
from hcat_nb.sweeps._guard import Guard
from hcat_nb.sweeps._state import done_state
from hcat_nb.sweeps.execute import execute_notebook

LONG = {"epochs": 100_000}  # ends by being ended
CODE = "import os\n[os.getpid(), os.getcwd(), os.environ['HCAT_WORD'], 'left' in globals()]"
STARTER = """
import asyncio, os, sys, time
from hcat_nb.sweeps._cell import kernel_manager
async def start():
    manager = kernel_manager(lambda pid: print(pid, flush=True))()
    await manager.start_kernel()
    await asyncio.sleep(1000)
asyncio.run(start())
"""


def _attempts(folder: Path) -> list[str]:
    lines = (folder / "attempts.jsonl").read_text().splitlines()
    return [json.loads(line)["event"] for line in lines]


def _strict(path: Path) -> dict[str, Any]:
    def refuse(word: str) -> None:
        raise AssertionError(f"{path} holds {word}")

    return json.loads(path.read_text(), parse_constant=refuse)


@pytest.mark.slow
def test_a_run_leaves_all_its_files_and_is_not_repeated(
    tmp_path: Path, tiny: dict[str, Any], request_of: Callable[..., dict[str, Any]]
) -> None:
    request = request_of(tiny | {"run_tag": "007"})
    state = run_cell(request)
    assert (state["state"], state["error"]) == ("done", None)
    assert state["peak_mb"] >= state["memory_mb"] > 50
    folder = tmp_path / "a"
    assert load_run(folder / "run").methods == ["el2n"]
    notebook = _strict(folder / "benchmark.ipynb")
    assert (folder / "benchmark.ipynb").stat().st_size < 1_000_000
    assert "widgets" not in notebook["metadata"]
    shown = [out for cell in notebook["cells"] for out in cell.get("outputs", [])]
    assert [out for out in shown if "image/png" in out.get("data", {})]
    before = (folder / "run/run.json").stat().st_mtime_ns
    assert run_cell(request)["skipped"]
    assert (folder / "run/run.json").stat().st_mtime_ns == before
    assert _attempts(folder) == ["started", "done"]


@pytest.mark.slow
@pytest.mark.parametrize("missing", ["state.json", "benchmark.ipynb", "run/run.json"])
def test_a_broken_run_is_done_again(
    missing: str,
    tmp_path: Path,
    tiny: dict[str, Any],
    request_of: Callable[..., dict[str, Any]],
) -> None:
    request = request_of(tiny)
    run_cell(request)
    (tmp_path / "a" / missing).unlink()
    assert not done_state(tmp_path / "a")
    assert run_cell(request)["state"] == "done"
    assert done_state(tmp_path / "a")


@pytest.mark.slow
def test_a_failed_run_keeps_its_traceback(
    tmp_path: Path, tiny: dict[str, Any], request_of: Callable[..., dict[str, Any]]
) -> None:
    state = run_cell(request_of(tiny | {"lr": 1e30, "epochs": 3}))
    assert state["state"] == "failed"
    assert "diverged" in state["error"]
    cells = _strict(tmp_path / "a/benchmark.ipynb")["cells"]
    (error,) = [
        out for cell in cells for out in cell.get("outputs", []) if out["output_type"] == "error"
    ]
    assert error["ename"] == "DivergedError"
    assert not done_state(tmp_path / "a")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("limits", "state"),
    [({"time_limit": 2.0}, "time limit"), ({"memory_limit": 60.0}, "memory limit")],
)
def test_a_run_is_ended_at_its_limit(
    limits: dict[str, float],
    state: str,
    tmp_path: Path,
    tiny: dict[str, Any],
    request_of: Callable[..., dict[str, Any]],
) -> None:
    ended = run_cell(request_of(tiny | LONG, **limits))
    assert ended["state"] == state
    assert ended["memory_mb"] > 0
    assert "reached, at" in ended["error"]
    first = _strict(tmp_path / "a/benchmark.ipynb")["cells"][0]
    assert f"**{state}**" in "".join(first["source"])


@pytest.mark.slow
def test_a_kernel_that_is_killed_is_told_with_its_memory(
    tmp_path: Path, tiny: dict[str, Any], request_of: Callable[..., dict[str, Any]]
) -> None:
    guards: list[Guard] = []

    def kill() -> None:
        while not (guards and guards[0].memory_mb):  # the kernel lives
            time.sleep(0.05)
        os.kill(guards[0].pid or 0, signal.SIGKILL)

    threading.Thread(target=kill, daemon=True).start()
    state = run_cell(request_of(tiny | LONG), guards.append)
    assert state["state"] == "killed"
    (told,) = re.findall(r"at (\d+) MB of memory", state["error"])
    # one is rounded to 1 MB, the other to .1: they are of the same look
    assert int(told) == pytest.approx(state["memory_mb"], abs=0.5 + 0.05 + 1e-9)
    assert state["memory_mb"] > 50


@pytest.mark.parametrize(
    ("error", "state", "words"),
    [
        ("Kernel died before replying to kernel_info", "killed", "the kernel died at 0 MB"),
        ("Kernel didn't respond in 600 seconds", "failed", "RuntimeError: Kernel didn't respond"),
    ],
)
def test_a_kernel_that_never_answered_is_not_called_dead(
    error: str,
    state: str,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    tiny: dict[str, Any],
    request_of: Callable[..., dict[str, Any]],
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(error)

    monkeypatch.setattr("hcat_nb.sweeps._cell.execute_notebook", fail)
    ended = run_cell(request_of(tiny))
    assert ended["state"] == state
    assert ended["error"].startswith(words)


@pytest.mark.parametrize(
    ("more", "words"),
    [({"version": "other"}, "the sweep other"), ({"out": "/absent"}, "cannot be seen on")],
)
def test_a_machine_that_cannot_do_it_says_so(
    more: dict[str, str],
    words: str,
    tmp_path: Path,
    tiny: dict[str, Any],
    request_of: Callable[..., dict[str, Any]],
) -> None:
    state = run_cell(request_of(tiny, **more))
    assert state["state"] == "failed"
    assert words in state["error"]
    assert not any(tmp_path.iterdir())


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    cells = [
        nbformat.v4.new_code_cell("a = 1", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell(CODE),
        nbformat.v4.new_code_cell("left = 1"),
    ]
    kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path = tmp_path / "words.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernelspec}), path)
    return path


@pytest.mark.slow
def test_each_notebook_has_a_kernel_of_its_own(
    notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[int] = []
    for number in range(2):
        monkeypatch.setenv("HCAT_WORD", str(number))
        target = tmp_path / f"out{number}/done.ipynb"
        manager = kernel_manager(started.append)
        execute_notebook(notebook, target, {"a": 2}, progress=False, kernel_manager_class=manager)
        output = json.loads(target.read_text())["cells"][2]["outputs"][0]
        said = ast.literal_eval("".join(output["data"]["text/plain"]))
        assert said == [started[-1], str(target.parent), str(number), False]
    assert len(set(started)) == 2
    assert not any(psutil.pid_exists(pid) for pid in started)


@pytest.mark.slow
@pytest.mark.skipif(not FORKS, reason="kernels are forked on Linux only")
def test_a_kernel_dies_with_the_process_that_asked_for_it(repository: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STARTER],
        stdout=subprocess.PIPE,
        text=True,
        cwd=repository,
        env={**os.environ, "PYTHONPATH": str(repository)},
    ) as starter:
        assert starter.stdout is not None
        kernel = psutil.Process(int(starter.stdout.readline()))
        family = [kernel, *psutil.Process(starter.pid).children(recursive=True)]
        os.kill(starter.pid, signal.SIGKILL)
        psutil.wait_procs(family, timeout=300)
        assert not [one for one in family if one.is_running()]


@pytest.mark.slow
@pytest.mark.skipif(not FORKS, reason="kernels are forked on Linux only")
def test_the_state_of_a_kernel_can_be_asked_for() -> None:
    async def live_and_die() -> tuple[bool, int | None, bool]:
        manager = kernel_manager(lambda _: None)()
        await manager.start_kernel()
        alive = await manager.is_alive()
        kernel = psutil.Process(manager.provisioner.pid)
        # A port could be taken by somebody else before the kernel binds it.
        assert manager.transport == "ipc"
        while not [one for one in kernel.net_connections("unix") if manager.ip in str(one.laddr)]:
            await asyncio.sleep(0.01)  # it is still on its way
        process = manager.provisioner.process
        process.send_signal(signal.SIGKILL)
        while await manager.is_alive():
            await asyncio.sleep(0.01)
        status = process.wait()
        process.send_signal(signal.SIGTERM)  # it is gone; nobody else gets the signal
        await manager.cleanup_resources()
        return alive, status, await manager.is_alive()

    # In a thread of its own: a browser test before this one leaves a loop running in ours.
    with ThreadPoolExecutor(1) as thread:
        found = thread.submit(asyncio.run, live_and_die()).result()
    assert found == (True, -signal.SIGKILL, False)
