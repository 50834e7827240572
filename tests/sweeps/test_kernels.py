"""Kernels of runs: fresh each time, and gone with whoever started them."""

from __future__ import annotations

import ast
import asyncio
import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import psutil
import pytest

from hcat_nb.sweeps._kernels import FORKS, kernel_manager
from hcat_nb.sweeps.execute import execute_notebook

CODE = "import os\n[os.getpid(), os.getcwd(), os.environ['HCAT_WORD'], 'left' in globals()]"


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


STARTER = """
import asyncio, os, sys, time
from hcat_nb.sweeps._kernels import kernel_manager
async def start():
    manager = kernel_manager(lambda pid: print(pid, flush=True))()
    await manager.start_kernel()
    await asyncio.sleep(1000)
asyncio.run(start())
"""


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
