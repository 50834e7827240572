"""A25: 300,000 samples of 100 classes are scored in less than 2 GB.

That every method agrees with itself for any size of chunk is tested beside
`replay`'s callers, in tests/runs/test_replaying.py.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

PROGRAM = """
import sys, threading
import numpy as np, torch
import hcat_nb as hcat

torch.set_num_threads(1)
N, C = 300_000, 100
path = sys.argv[1]
stored = np.lib.format.open_memmap(path, "w+", np.float16, (2, N, C))
rng = np.random.default_rng(0)
labels = rng.integers(0, C, N)
for epoch in stored:
    for start in range(0, N, 20_000):
        block = rng.standard_normal((20_000, C), dtype=np.float32)
        block[np.arange(20_000), labels[start:start + 20_000]] += 4
        epoch[start:start + 20_000] = block
del stored
peak, over = 0, threading.Event()
def watch():
    # Pages of the mapped file are not counted: the system may take them back.
    global peak
    while not over.wait(0.01):
        for line in open("/proc/self/status"):
            if line.startswith("RssAnon:"):
                peak = max(peak, int(line.split()[1]))
watcher = threading.Thread(target=watch)
watcher.start()
run = hcat.characterize_dynamics(logits=np.load(path, mmap_mode="r"), labels=labels)
over.set()
watcher.join()
assert run.scores.notna().all(axis=None)
rows = [0, 150_000, N - 1]
# cleanlab's classes are those that occur, and the detector's matrix products
# sum in an order that depends on the rows of a batch.
by_row = [name for name in run.methods if name not in ("cleanlab", "detector")]
few = hcat.characterize_dynamics(
    logits=np.load(path, mmap_mode="r")[:, rows], labels=labels[rows], classes=range(C),
    methods=by_row,
)
assert len(by_row) > 5
assert (few.scores.to_numpy() == run.scores[by_row].iloc[rows].to_numpy()).all()
print(peak)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads what Linux tells of a process")
def test_stored_logits_larger_than_what_is_read_are_streamed(repository, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "logits.npy")],
        capture_output=True, text=True, check=False, cwd=repository,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert 2e8 / 1024 < float(done.stdout) < 2e9 / 1024  # KiB
