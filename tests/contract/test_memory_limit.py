"""A run that does not fit is refused before it takes memory, under a limit that is real."""

from __future__ import annotations

import re
import sys

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="reads what Linux counts"),
]

# 300,000 rows of 20,000 classes: 24 GB for each table of probabilities.
PROGRAM = """
import resource
import numpy as np
import hcat_nb as hcat
from hcat_nb.runs.execution.forecast import forecast
from hcat_nb.errors import TooLargeError

def used(what):
    lines = open("/proc/self/status").read().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(what))

features = np.arange({n}, dtype=np.float32)[:, None] % 1000
labels = np.arange({n}) % {classes}
settings = dict(epochs=2, model="dense", seed=0, device="cpu", judges=False, batch_size=4096)
settings |= dict(learning_check=False)
hcat.characterize(features[:5000] % 7, labels[:5000] % 2, methods="el2n", **settings)  # imports
resource.setrlimit(resource.RLIMIT_AS, (used("VmSize") + {limit}, resource.RLIM_INFINITY))
before = used("VmHWM")
for work in (forecast, hcat.characterize):
    try:
        work(features, labels, methods={methods!r}, **settings)
    except TooLargeError as error:
        print(error)
print("grown", used("VmHWM") - before)
if {then!r}:
    run = hcat.characterize(features, labels, methods={then!r}, **settings)
    print("scored", len(run.scores))
"""


@pytest.mark.parametrize("methods", ["el2n", "aum", "cleanlab", "all"])
def test_rows_times_classes(methods, forked):
    words = PROGRAM.format(n=300_000, classes=20_000, limit=8 * 2**30, methods=methods, then="")
    done = forked(words)
    assert done.returncode == 0, done.stdout
    refused = re.findall(r"the run would take (\S+) GB .* at most the (\S+) GB", done.stdout)
    assert len(refused) == 2, done.stdout  # the dry run, and the run
    for need, free in refused:
        assert float(need) >= 24
        assert float(free) <= 8.6  # 8 GiB, rounded
    # What a look at the data takes; a table of probabilities would be 24 GB.
    assert int(re.search(r"grown (\d+)", done.stdout)[1]) < 10**9


def test_the_remedy_is_right_if_followed(forked):
    limits = {"n": 200_000, "classes": 500, "limit": 850 * 2**20}
    done = forked(PROGRAM.format(**limits, methods="el2n cleanlab", then="el2n"))
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("leave out cleanlab (methods=el2n)") == 2
    assert "scored 200000" in done.stdout
