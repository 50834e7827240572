"""A run whose features lie in a file takes no memory for a copy of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.slow

N, COLUMNS = 200_000, 200  # 160 MB, and more values than are looked at in one piece

SCRIPT = """
import sys, threading
from pathlib import Path
import numpy as np

def anonymous():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("RssAnon"))

peak, over = [0], threading.Event()
def look():
    while not over.wait(0.01):
        peak[0] = max(peak[0], anonymous())

import hcat_nb as hcat
small = np.random.default_rng(0).normal(size=(500, 200)).astype(np.float32)
settings = dict(model="mlp", epochs=1, batch_size=1024, methods="el2n,loss", seed=0, device="cpu")
hcat.characterize(small, np.arange(500) % 2, data_on="disk", **settings)  # imports everything
before = anonymous()
watch = threading.Thread(target=look)
watch.start()
run = hcat.characterize(sys.argv[1], target=sys.argv[2], data_on=sys.argv[3], **settings)
over.set()
watch.join()
assert run.scores.notna().all(axis=None)
print(peak[0] - before)
"""


def _growth(folder: Path, data_on: str) -> int:
    files = [str(folder / name) for name in ("x.npy", "y.npy")]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *files, data_on], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_features_in_a_file_take_no_memory(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    features = np.lib.format.open_memmap(
        tmp_path / "x.npy", mode="w+", dtype=np.float32, shape=(N, COLUMNS)
    )
    for start in range(0, N, 20_000):
        features[start : start + 20_000] = rng.normal(size=(20_000, COLUMNS))
    features.flush()
    np.save(tmp_path / "y.npy", rng.integers(0, 3, N))
    size = features.nbytes
    grown = _growth(tmp_path, "disk")
    # Accumulators and tables of a sample are some 500 bytes (100 MB), blocks of features a few
    # MB more: a copy of the features would exceed the bound.
    assert grown < size
