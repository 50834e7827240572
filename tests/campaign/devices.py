"""The whole pipeline on a device that refuses to mix with the CPU."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.campaign.trials import Campaign, Trial, told
from tests.contract.test_pretend_accelerator import BEGIN, PROGRAMS


def _execute(program: str) -> None:
    sys.path.insert(0, str(Path(__file__).parents[1] / "contract"))
    exec(BEGIN + program, {"__name__": "__main__"})


def _attempt(name: str, folder: Path) -> str:
    told(_execute, PROGRAMS[name])
    return ""


def trials() -> Iterator[Trial]:
    """A program for each path: methods, perturbations, placements, seeds, folds, resume."""
    for name in PROGRAMS:
        yield Trial(name, functools.partial(_attempt, name))


CAMPAIGN = Campaign("pretend accelerator: all methods and paths", len(PROGRAMS), trials)
