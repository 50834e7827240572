"""What a notebook of its own costs each run of a sweep.

The same tiny runs are done three ways, one after the other, in turn: by the
plain call in a process that has imported everything; by a sweep's worker,
whose kernels are forked; and by papermill with kernels that it starts itself.
Seconds are of this machine; what carries over are the differences between the
ways beside the seconds that the imports take.

    python tests/benchmarks/sweep.py --rounds 5
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import papermill

from hcat_nb.api.characterize import characterize
from hcat_nb.assets import asset
from hcat_nb.sweeps._version import code_version
from hcat_nb.sweeps._workers import Worker

SETUP: dict[str, Any] = {
    "dataset": "wine",
    "hardness": "uniform",
    "model": "mlp",
    "epochs": 1,
    "methods": ["el2n", "aum"],
}


def main() -> None:
    """Print the median seconds of a run, each way."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        worker = Worker(root, n_threads=1)

        def plain(name: str) -> None:
            characterize(**SETUP, out=root / name)

        def forked(name: str) -> None:
            request = {"out": str(root), "address": name, "version": code_version()}
            limits = {"time_limit": None, "memory_limit": None}
            state = worker.run({**request, **limits, "parameters": SETUP})
            assert state["state"] == "done", state["error"]

        def started(name: str) -> None:
            papermill.execute_notebook(
                str(asset("benchmark.ipynb")),
                str(root / f"{name}.ipynb"),
                {**SETUP, "out": str(root / name)},
                progress_bar=False,
                store_widget_state=False,
                extra_arguments=["--log-level=ERROR"],
            )

        ways: dict[str, Callable[[str], None]] = {
            "plain call, warm process": plain,
            "sweep's worker, forked kernel": forked,
            "papermill, its own kernel": started,
        }
        seconds: dict[str, list[float]] = {way: [] for way in ways}
        for number in range(rounds + 1):  # the first warms caches, and is left out
            for way, do in ways.items():
                began = time.perf_counter()
                do(f"{way.split()[0]}{number}")
                if number:
                    seconds[way].append(time.perf_counter() - began)
                else:
                    first = time.perf_counter() - began
                    print(f"{way:<32} first {first:.2f} s")
        worker.stop()
        for way, each in seconds.items():
            low, high = min(each), max(each)
            print(f"{way:<32} {statistics.median(each):.2f} s ({low:.2f} to {high:.2f})")


if __name__ == "__main__":
    main()
