"""What a run holds in memory whose features stay in a memory-mapped file.

    python tests/benchmarks/larger_than_memory.py                  # 1,000,000 x 100 float32
    python tests/benchmarks/larger_than_memory.py --rows 100_000 --methods aum,el2n
    python tests/benchmarks/larger_than_memory.py --data-on device # in memory, to compare

Makes a table in a temporary file, a block at a time, has the MLP trained on it
and scored by all methods, and prints seconds, and the peaks of resident memory:
``max RSS`` of the process counts pages of the file that happen to be in
memory, which the system may take back at any time; ``RssAnon`` is what only
this process can give back.  The status is 1 if max RSS exceeds ``--limit``.
Needs Linux; writes nothing but the temporary file, which it removes.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

COLUMNS, CLASSES, BLOCK = 100, 5, 50_000


def make_table(folder: Path, n: int) -> tuple[Path, np.ndarray]:
    """Write features of ``n`` rows; return their file, and labels of which one in ten is wrong."""
    rng = np.random.default_rng(0)
    features = np.lib.format.open_memmap(
        folder / "features.npy", mode="w+", dtype=np.float32, shape=(n, COLUMNS)
    )
    weights = rng.normal(size=(COLUMNS, CLASSES))
    labels = np.empty(n, dtype=np.int64)
    for start in range(0, n, BLOCK):
        block = rng.normal(size=(min(BLOCK, n - start), COLUMNS)).astype(np.float32)
        features[start : start + len(block)] = block
        labels[start : start + len(block)] = (block @ weights).argmax(axis=1)
    wrong = rng.random(n) < 0.1
    labels[wrong] = rng.integers(0, CLASSES, size=int(wrong.sum()))
    features.flush()
    return folder / "features.npy", labels


class Watch:
    """The largest RssAnon and RssFile of this process, looked at ten times a second, bytes."""

    def __init__(self) -> None:
        self.peaks = {"RssAnon": 0, "RssFile": 0}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.1):
            for line in Path("/proc/self/status").read_text().splitlines():
                name, _, value = line.partition(":")
                if name in self.peaks:
                    self.peaks[name] = max(self.peaks[name], 1024 * int(value.split()[0]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--methods", default="all")
    parser.add_argument("--data-on", default="disk", choices=("auto", "device", "host", "disk"))
    parser.add_argument("--limit", type=float, default=4.0, help="of max RSS, GB")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Watch() as watch:
        path, labels = make_table(Path(folder), asked.rows)
        import hcat_nb as hcat
        from hcat_nb.runs.execution.info import peak_memory_mb

        began = time.perf_counter()
        run = hcat.characterize(
            path,
            labels,
            model="mlp",
            epochs=asked.epochs,
            methods=asked.methods,
            data_on=asked.data_on,
            device="cpu",
            seed=0,
        )
        seconds = time.perf_counter() - began
    peak = 2**20 * (peak_memory_mb() or math.nan)
    size = asked.rows * COLUMNS * 4
    print(run)
    print(f"features {size / 1e9:.2f} GB, on {run.info['data_on']}; {seconds:.0f} s")
    for name in ("load", "prepare", "train", "observe", "extra", "score"):
        if name in run.timings:
            print(f"  {name:8} {run.timings[name]:8.1f} s")
    print(f"max RSS {peak / 1e9:.2f} GB (limit {asked.limit:g})")
    for name, value in watch.peaks.items():
        print(f"  {name:8} {value / 1e9:8.2f} GB at most")
    unscored = run.scores[run.methods].isna().all()
    print("methods:", ", ".join(run.methods), "| without a score:", list(unscored[unscored].index))
    return int(peak > asked.limit * 1e9)


if __name__ == "__main__":
    sys.exit(main())
