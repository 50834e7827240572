"""Single flipped bits and cuts in every file: told by name, or without any effect."""

from __future__ import annotations

import atexit
import functools
import random
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

import hcat_nb as hcat
from hcat_nb.errors import HcatError
from hcat_nb.sweeps.sweep import sweep
from hcat_nb.training.events import Control, Listener
from tests.campaign import work
from tests.campaign.kills import TINY
from tests.campaign.trials import Campaign, Trial, chance_of, told

FOLDERS = {"run": 500, "checkpoint": 200, "audit": 200, "sweep": 120}


def damage(path: Path, chance: random.Random) -> None:
    """Flip one bit, or cut the file."""
    data = bytearray(path.read_bytes())
    where = chance.randrange(len(data))
    if chance.random() < 0.8:
        data[where] ^= 1 << chance.randrange(8)
    else:
        del data[where:]
    path.write_bytes(data)


class _StopAt(Listener):
    def __init__(self) -> None:
        self.control = Control()

    def on_epoch(self, event: Any) -> None:
        if event.epoch == 9:
            self.control.stop.set()


def _prepare(folder: Path) -> None:
    run = work.train("logits", out=folder / "run")
    run.decisions().drop([3])
    stop = _StopAt()
    work.train("logits", out=folder / "checkpoint", control=stop.control, listeners=[stop])
    audit = hcat.audit(work.TABLE, work.LABELS, methods="el2n aum", epochs=4, seed=0)
    audit.save(folder / "audit")
    sweep([TINY, {**TINY, "seed": 1}], out=folder / "sweep", workers=1)


@functools.cache
def _good() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="campaign_good_"))
    atexit.register(shutil.rmtree, folder)
    told(_prepare, folder)
    return folder


def _read_run(folder: Path) -> list[Any]:
    run = hcat.load_run(folder)
    logits = [run.logits.epoch(number) for number in range(1, run.logits.n_epochs + 1)]
    tables = [run.scores, run.details, run.history, run.flags, run.truth, *logits]
    weights = [value.numpy().tobytes() for value in run.weights.values()]
    return [*tables, run.dynamics, weights, run.info, run.decisions().frame()]


def _read_checkpoint(folder: Path) -> list[Any]:
    run = hcat.resume(folder, work.TABLE, work.LABELS)
    return [run.scores, *(run.logits.epoch(number) for number in range(1, 13))]


def _read_audit(folder: Path) -> list[Any]:
    audit = hcat.load_audit(folder)
    return [audit.samples, audit.methods, audit.probes, audit.run.scores, audit.summary()]


def _read_sweep(folder: Path) -> list[Any]:
    return [hcat.results(folder).drop(columns="folder", errors="ignore")]


READERS: dict[str, Callable[[Path], list[Any]]] = {
    "run": _read_run, "checkpoint": _read_checkpoint, "audit": _read_audit, "sweep": _read_sweep,
}  # fmt: skip


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, pd.DataFrame):
        return one.equals(other)
    if hasattr(one, "tobytes"):
        return bool(one.tobytes() == other.tobytes())
    return bool(one == other)


@functools.cache
def _reference(kind: str) -> list[Any]:
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        return READERS[kind](Path(shutil.copytree(_GOOD[0] / kind, Path(folder) / kind)))


_GOOD: list[Path] = []


def _check(kind: str, good: Path, folder: Path) -> str:
    _GOOD[:] = [good]
    before = _reference(kind)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            found = READERS[kind](folder)
        except HcatError:
            return ""
    for one, other in zip(before, found, strict=True):
        if not _same(one, other) and not any("damaged" in str(each.message) for each in said):
            return f"read as something else: {type(one).__name__}"
    return ""


def _attempt(kind: str, number: int, folder: Path) -> str:
    copy = Path(shutil.copytree(_good() / kind, folder / kind))
    chance = chance_of("bits", kind, number)
    files = sorted(path for path in copy.rglob("*") if path.is_file() and path.stat().st_size)
    path = files[number % len(files)]
    damage(path, chance)
    lost = told(_check, kind, _good(), copy)
    return f"{path.relative_to(copy)}: {lost}" if lost else ""


def trials() -> Iterator[Trial]:
    """All kinds of folders in turn."""
    for number in range(max(FOLDERS.values())):
        for kind, times in FOLDERS.items():
            if number < times:
                yield Trial(f"{kind} {number}", functools.partial(_attempt, kind, number))


CAMPAIGN = Campaign("single flipped bits and truncations, every kind of file", 1000, trials)
