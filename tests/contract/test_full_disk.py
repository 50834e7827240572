"""No room at a write point is one line that says what helps, and resuming works afterwards.

The limit is real: the kernel refuses files over a size (RLIMIT_FSIZE), so that each size makes
another write fail first.
"""

from __future__ import annotations

import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="has no such limit")

BEGIN = """
import resource, signal, tempfile, warnings
from pathlib import Path
import numpy as np
import hcat_nb as hcat
from hcat_nb.errors import HcatError
warnings.simplefilter("ignore")
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
TABLE = np.random.default_rng(0).normal(size=(150, 6)).astype(np.float32)
LABELS = (TABLE[:, 0] > 0).astype(int)
SETTINGS = dict(epochs=3, methods="el2n vog aum", model="dense", seed=0, judges=False)
PROMISED = "make room there and resume"

def train(**more):
    return hcat.characterize(TABLE, LABELS, learning_check=False, **SETTINGS, **more)

def limited(size, work):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    try:
        work()
    except HcatError as error:
        return str(error)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    return ""
"""
RUNS = """
options = {options!r}
whole, refused = train(**options), set()
for size in (0, 1, 900, 3000, 5000, 12000, 50000):
    folder = Path(tempfile.mkdtemp()) / "run"
    said = limited(size, lambda: train(out=folder, **options))
    if not said:
        continue
    refused.add(said.split(" (")[0].replace(str(folder), ""))
    assert PROMISED in said, (size, said)
    begun = (folder / "checkpoint/checkpoint.json").is_file()
    run = hcat.resume(folder, TABLE, LABELS) if begun else train(out=folder, **options)
    assert run.scores.equals(whole.scores), size
    assert hcat.load_run(folder).scores.equals(whole.scores), size
assert len(refused) >= {kinds}, refused
"""
PROGRAMS = {
    "a run": RUNS.format(options={}, kinds=2),
    "kept logits": RUNS.format(options={"keep_dynamics": "logits"}, kinds=3),
    "several seeds": RUNS.format(options={"seeds": 2}, kinds=2),
    "saving": """
run = train()
for size in (0, 100, 3000):
    folder = Path(tempfile.mkdtemp()) / "run"
    said = limited(size, lambda: run.save(folder))
    assert PROMISED in said, said
    assert not folder.exists() or not list(folder.iterdir())
    run.save(folder)
    before = sorted(folder.iterdir())
    said = limited(size, lambda: run.save(folder, overwrite=True))
    assert PROMISED in said, said
    assert sorted(folder.iterdir()) == before
    assert hcat.load_run(folder).scores.equals(run.scores)
""",
    "decisions": """
run = train(out=Path(tempfile.mkdtemp()) / "run")
run.decisions().drop([3])
said = limited(10, lambda: run.decisions().drop([4]))
assert "cannot be written" in said and "choose another" in said, said
assert run.decisions().frame().index.tolist() == [3]
run.decisions().drop([4])
assert hcat.load_run(run.folder).decisions().frame().index.tolist() == [3, 4]
""",
    "the state of a sweep's run": """
from hcat_nb.sweeps._state import note_attempt, read_state, write_state
folder = Path(tempfile.mkdtemp())
write_state(folder, {"state": "done"})
for work in (lambda: write_state(folder, {"state": "failed"}), lambda: note_attempt(folder, {})):
    said = limited(0, work)
    assert PROMISED in said, said
assert read_state(folder) == {"state": "done"}
""",
}


@pytest.mark.parametrize("what", PROGRAMS)
def test_no_room(what, forked):
    done = forked(BEGIN + PROGRAMS[what])
    assert done.returncode == 0, done.stdout
