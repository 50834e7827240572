"""Writes the small folders that a later version must be able to read.

    git worktree add /tmp/then COMMIT
    PYTHONPATH=/tmp/then python tests/benchmarks/saved_runs.py tests/contract/saved/COMMIT

``whole`` and ``interrupted`` are one run, with all methods; the process of the
second dies after two of four epochs.  ``finished`` keeps its logits and its
last checkpoint.  ``sweep`` holds two runs.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import hcat_nb as hcat
from hcat_nb.training.events import EpochEvent, Listener

OPTIONS: dict[str, Any] = {
    "dataset": "wine", "subset": 60, "hardness": "uniform", "p": 0.1, "epochs": 4, "seed": 3,
    "model_options": {"hidden": [16, 8]}, "device": "cpu",
}  # fmt: skip


class Dies(Listener):
    """Ends the process after two epochs, as a kill would."""

    def on_epoch(self, event: EpochEvent) -> None:
        """Die in the second one."""
        if event.epoch == 2:
            os._exit(0)


def main(out: Path) -> None:
    """Write the four folders into ``out``."""
    if os.fork() == 0:
        hcat.characterize(out=out / "interrupted", listeners=[Dies()], **OPTIONS)
    os.wait()
    run = hcat.characterize(out=out / "whole", **OPTIONS)
    run.decisions().drop(run.scores.index[0])
    kept: dict[str, Any] = {"methods": "aum el2n grand", "keep_dynamics": "logits"}
    hcat.characterize(out=out / "finished", keep_checkpoint=True, **kept, **OPTIONS)
    plan = {"base": {**OPTIONS, "epochs": 2, "methods": "el2n", "seed": 0}, "total_runs": 2}
    print(hcat.sweep(plan, out=out / "sweep", workers=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
