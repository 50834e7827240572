"""Whether a notebook fits what Binder gives: one core, 2 GB, three minutes.

    python tests/benchmarks/binder.py                          # the tutorial, which Binder opens
    python tests/benchmarks/binder.py notebooks/teaching.ipynb

All processes (an idle JupyterLab, what executes, and the kernel) share one
core, as ``taskset -c 0`` would have it.  Memory is the sum of their
proportional shares (PSS), looked at ten times a second; above the limit they
are killed, as Binder's would be.  Prints the figures as JSON; exit status 1
if a goal is missed.  Linux only.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil

REPOSITORY = Path(__file__).resolve().parents[2]
LIMIT_MB, GOAL_S = 2000, 180
TURN = 0.1  # seconds between two looks at the memory
EXECUTE = (
    "import sys; from pathlib import Path; from hcat_nb.sweeps.execute import execute_notebook; "
    "execute_notebook(Path(sys.argv[1]), Path(sys.argv[2]), {}, progress=False)"
)


def _shared_out(process: psutil.Process) -> float:
    """Return the megabytes of a process and its children, shared pages by their share."""
    found = 0
    for one in (process, *process.children(recursive=True)):
        with suppress(psutil.Error):  # it ended between the two looks
            found += one.memory_full_info().pss
    return found / 1e6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("notebook", nargs="?", default="notebooks/tutorial.ipynb")
    notebook = REPOSITORY / parser.parse_args().notebook
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # children inherit it
    me, peak = psutil.Process(), 0.0
    with tempfile.TemporaryDirectory() as scratch:
        lab = subprocess.Popen(
            [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root", "--port=0"],
            cwd=scratch,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert lab.stderr is not None
            next(line for line in lab.stderr if "is running at" in line)
            began = time.monotonic()
            done = Path(scratch) / "done.ipynb"
            command = [sys.executable, "-c", EXECUTE, str(notebook), str(done)]
            work = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(REPOSITORY)})
            while work.poll() is None:
                peak = max(peak, _shared_out(me))
                if peak > LIMIT_MB:
                    for one in psutil.Process(work.pid).children(recursive=True):
                        one.kill()
                    work.kill()
                    break
                time.sleep(TURN)
            seconds = time.monotonic() - began
        finally:
            lab.terminate()
            lab.wait()
    fits = work.wait() == 0 and peak <= LIMIT_MB and seconds <= GOAL_S
    figures = {"notebook": notebook.name, "seconds": round(seconds, 1), "peak_mb": round(peak)}
    print(json.dumps({**figures, "goal_s": GOAL_S, "limit_mb": LIMIT_MB, "fits": fits}))
    return int(not fits)


if __name__ == "__main__":
    sys.exit(main())
