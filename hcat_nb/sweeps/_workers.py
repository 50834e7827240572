"""A worker: a process of its own that does one run after the other."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import platform
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_log = logging.getLogger(__name__)

_LOGS = "logs"
# Each numeric library has a variable of its own.
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class WorkerLostError(Exception):
    """A worker ended in the middle of a run, or was told to end before it."""


def available_cores() -> int:
    """Return on how many cores this process may work."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def thread_environment(n_threads: int) -> dict[str, str]:
    """Return variables by which numeric libraries take so many threads."""
    return dict.fromkeys(_THREADS, str(n_threads))


class Worker:
    """One worker process, started at its first run; its log goes to ``out/logs``."""

    def __init__(self, out: Path, n_threads: int) -> None:
        self._out = out
        self._environment = {**os.environ, **thread_environment(n_threads)}
        self._process: subprocess.Popen[str] | None = None
        self._log: Path | None = None
        self._starting = threading.Lock()
        self._stopped = False

    def run(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Do a run and return its state; see :func:`hcat_nb.sweeps._cell.run_cell`.

        Once more, if the process ends before its answer: whoever kills a kernel may take the
        worker for it. WorkerLostError if it ended twice, or :meth:`stop` was called.
        """
        try:
            return self._asked(request)
        except WorkerLostError as error:
            _log.warning("run %s begins again: %s", request["address"], error)
            return self._asked(request)

    def stop(self) -> None:
        """End the process, and the kernel of a run that it is at; no other one is started."""
        with self._starting:  # else a run that is just handed out would start one afterwards
            self._stopped = True
            self._leave()
        if self._log is not None and self._log.is_file() and not self._log.stat().st_size:
            self._log.unlink()

    def _asked(self, request: Mapping[str, Any]) -> dict[str, Any]:
        process = self._process
        if process is None or process.poll() is not None:
            with self._starting:
                process = self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(request, allow_nan=False) + "\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        except (OSError, ValueError) as error:  # its end of the pipe, or ours, is closed
            raise WorkerLostError(str(error)) from error
        if not answer.endswith("\n"):
            ended = f"worker {process.pid} ended with {process.wait()}"
            raise WorkerLostError(f"{ended}; its log is {self._log}")
        state: dict[str, Any] = json.loads(answer)
        return state

    def _leave(self) -> None:
        """Close both pipes, which ends the process, and wait for that."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(OSError):  # it is dead already
            process.stdin.close()
        process.wait()
        process.stdout.close()

    def _start(self) -> subprocess.Popen[str]:
        if self._stopped:
            raise WorkerLostError("the sweep was ended")
        self._leave()
        folder = self._out / _LOGS
        folder.mkdir(exist_ok=True)
        self._log = folder / f"{platform.node()}-{os.getpid()}-{threading.get_ident()}.log"
        with self._log.open("a") as log:
            process = self._process = subprocess.Popen(
                [sys.executable, "-m", "hcat_nb.sweeps.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=self._environment,
                text=True,
                start_new_session=True,  # Ctrl-C is for whoever started the sweep
            )
        _log.info("worker %d started, log %s", process.pid, self._log)
        return process
