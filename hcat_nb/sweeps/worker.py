"""A worker: ``python -m hcat_nb.sweeps.worker`` does the runs that it reads, one after the other.

A line of JSON in is a request, a line out the state in which the run ended.
When its input ends, because it is told to stop or because whoever started it
died, it kills its kernel and ends.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from typing import Any, TextIO

from hcat_nb.sweeps._guard import Guard


def main() -> None:
    """Serve standard input until it ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a kernel prints goes to the log, not among the answers
    requests: queue.Queue[dict[str, Any]] = queue.Queue()
    guards: list[Guard] = []
    threading.Thread(target=_read, args=(sys.stdin, requests, guards), daemon=True).start()

    from hcat_nb.sweeps._cell import run_cell

    while True:
        request = requests.get()
        state = run_cell(request, guards.append)
        guards.clear()
        print(json.dumps(state, allow_nan=False), file=answers, flush=True)


def _read(source: TextIO, requests: queue.Queue[dict[str, Any]], guards: list[Guard]) -> None:
    for line in source:
        requests.put(json.loads(line))
    for guard in guards:
        guard.kill()
    os._exit(0)  # the main thread waits for a kernel that is dead


if __name__ == "__main__":
    main()
