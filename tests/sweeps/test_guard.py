from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import pytest

from hcat_nb.sweeps._guard import Guard


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that holds 200 MB."""
    code = "b = bytearray(200_000_000); print(1, flush=True); import time; time.sleep(1000)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def test_memory_is_looked_at_and_a_limit_kills(sleeper: subprocess.Popen[bytes]) -> None:
    guard = Guard(memory_limit=100)
    guard.watch(sleeper.pid)
    assert sleeper.wait(300) < 0
    guard.end()
    assert guard.verdict == "memory limit"
    assert guard.peak_mb >= guard.memory_mb > 200


def test_the_memory_of_children_counts() -> None:
    inner = (
        "input(); b = bytearray(200_000_000); print(1, flush=True); import time; time.sleep(1000)"
    )
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])"
    guard = Guard(memory_limit=150)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code], **pipes) as process:
        guard.watch(process.pid)
        parent = psutil.Process(process.pid)
        while not (children := parent.children()):
            time.sleep(0.01)
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
        assert process.wait(300) < 0
        children[0].kill()
    guard.end()
    assert guard.verdict == "memory limit"


def test_the_time_limit_kills(sleeper: subprocess.Popen[bytes]) -> None:
    guard = Guard(time_limit=0.2)
    guard.watch(sleeper.pid)
    assert sleeper.wait(300) < 0
    guard.end()
    assert guard.verdict == "time limit"


def test_within_its_limits_a_process_is_left_alone(sleeper: subprocess.Popen[bytes]) -> None:
    guard = Guard(time_limit=1000, memory_limit=10_000)
    guard.watch(sleeper.pid)
    while not guard.memory_mb:
        time.sleep(0.01)
    guard.end()
    assert guard.verdict is None
    assert sleeper.poll() is None
    guard.kill()
    assert sleeper.wait(300) < 0
    guard.kill()  # it is gone already
