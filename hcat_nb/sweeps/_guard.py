"""Watches the kernel of one run: its memory, and that it stays within its limits."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil

_INTERVAL = 0.1  # seconds; memory can grow by some 100 MB in that time
_FAMILY = 10  # intervals; to find children, every process of the machine is looked at


@dataclass(eq=False)
class Guard:
    """Samples a kernel's memory (MB, resident, its children's too), and kills it at a limit.

    ``verdict`` is "time limit" or "memory limit", if one was broken.
    """

    time_limit: float | None = None
    memory_limit: float | None = None
    memory_mb: float = 0.0
    peak_mb: float = 0.0
    verdict: str | None = None
    pid: int | None = None
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def watch(self, pid: int) -> None:
        """Begin to watch the process ``pid``."""
        self.pid = pid
        self._thread = threading.Thread(target=self._watch, args=(pid,), daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Stop watching."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    def kill(self) -> None:
        """Kill the process, if it is still there."""
        if self.pid is not None:
            number = signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def _watch(self, pid: int) -> None:
        import psutil

        began = time.monotonic()
        children: list[psutil.Process] = []
        looks = 0
        try:
            process = psutil.Process(pid)
        except psutil.NoSuchProcess:
            return
        while not self._ended.wait(_INTERVAL):
            try:
                if looks % _FAMILY == 0:
                    children = process.children(recursive=True)
                used = _memory_mb(process, children)
            except psutil.NoSuchProcess:
                return
            looks += 1
            if not used:  # ending: its memory is given back already
                return
            self.memory_mb = used
            self.peak_mb = max(self.peak_mb, used)
            if self.memory_limit is not None and used > self.memory_limit:
                self.verdict = "memory limit"
            elif self.time_limit is not None and time.monotonic() - began > self.time_limit:
                self.verdict = "time limit"
            if self.verdict is not None:
                self.kill()
                return


def _memory_mb(process: psutil.Process, children: list[psutil.Process]) -> float:
    """Return the resident memory of a process and its children; 0 if it ended."""
    import psutil

    if process.status() == psutil.STATUS_ZOMBIE:
        return 0.0
    total = process.memory_info().rss
    for child in children:
        with contextlib.suppress(psutil.NoSuchProcess):  # it ended meanwhile
            total += child.memory_info().rss
    return float(total) / 1e6
