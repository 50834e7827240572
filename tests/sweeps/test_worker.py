"""A worker process, spoken to through its pipes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from hcat_nb.sweeps._state import done_state

pytestmark = pytest.mark.slow


@pytest.fixture
def worker(repository: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "hcat_nb.sweeps.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=repository,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    ) as process:
        yield process
        process.kill()


def _ask(worker: subprocess.Popen[str], request: dict[str, Any]) -> None:
    assert worker.stdin is not None
    worker.stdin.write(json.dumps(request) + "\n")
    worker.stdin.flush()


def test_it_answers_each_request_with_a_line(
    worker: subprocess.Popen[str],
    tmp_path: Path,
    tiny: dict[str, Any],
    request_of: Callable[..., dict[str, Any]],
) -> None:
    assert worker.stdout is not None
    for address in ("a", "b"):
        _ask(worker, request_of(tiny, address))
        state = json.loads(worker.stdout.readline())
        assert (state["state"], state["address"]) == ("done", address)
        assert done_state(tmp_path / address)
    assert worker.stdin is not None
    worker.stdin.close()
    assert worker.wait(300) == 0


def test_the_end_of_its_input_ends_it_and_its_kernel(
    worker: subprocess.Popen[str],
    tmp_path: Path,
    tiny: dict[str, Any],
    request_of: Callable[..., dict[str, Any]],
) -> None:
    _ask(worker, request_of(tiny | {"epochs": 100_000}))
    while not list(tmp_path.glob("a/run/checkpoint/*.json")):  # it trains
        assert worker.poll() is None
        time.sleep(0.05)
    family = psutil.Process(worker.pid).children(recursive=True)
    assert family
    assert worker.stdin is not None
    worker.stdin.close()
    assert worker.wait(300) == 0
    psutil.wait_procs(family, timeout=300)
    assert not [one for one in family if one.is_running()]
    assert not done_state(tmp_path / "a")
