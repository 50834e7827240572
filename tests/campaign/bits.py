"""Single flipped bits and cuts in every file: told by name, or without any effect."""

from __future__ import annotations

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
from tests.campaign.trials import Campaign, Trial, chance_of, made, told

FOLDERS = {
    "run": 400, "checkpoint": 200, "audit": 200, "sweep": 120, "seeds": 60, "folds": 60,
    "watched": 60,
}  # fmt: skip


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
        if event.epoch == 4:
            self.control.stop.set()


def _prepare(folder: Path) -> None:
    work.train("logits", out=folder / "run" / "run").decisions().drop([3])  # beside it
    for kind in ("seeds", "folds"):
        work.train(kind, out=folder / kind / "run")
    work.watched(0, folder / "watched" / "run")
    stop = _StopAt()
    work.train("logits", out=folder / "checkpoint", control=stop.control, listeners=[stop])
    audit = hcat.audit(work.TABLE, work.LABELS, methods="el2n aum", epochs=4, seed=0)
    audit.save(folder / "audit")
    audit.answer(audit.review().queue(3).index, is_wrong=True)
    sweep([TINY, {**TINY, "seed": 1}], out=folder / "sweep", workers=1)


def _read_run(folder: Path) -> list[Any]:
    run = hcat.load_run(folder / "run")
    numbers = range(1, run.logits.n_epochs + 1) if run.logits is not None else ()
    tables = [run.scores, run.details, run.history, run.flags, run.truth, run.dynamics]
    tables += [run.held_out, run.seed_scores, *(run.logits.epoch(number) for number in numbers)]
    weights = [value.numpy().tobytes() for value in run.weights.values()]
    return [*tables, weights, run.info, run.spec, run.decisions().frame()]


def _read_checkpoint(folder: Path) -> list[Any]:
    run = hcat.resume(folder, work.TABLE, work.LABELS)
    return [run.scores, *(run.logits.epoch(number) for number in range(1, 7))]


def _read_audit(folder: Path) -> list[Any]:
    audit = hcat.load_audit(folder)
    found = [audit.samples, audit.methods, audit.causes, audit.probes, audit.run.scores]
    return [*found, audit.summary(), repr(audit.review()), audit.run.decisions().frame()]


def _read_sweep(folder: Path) -> list[Any]:
    return [hcat.results(folder).drop(columns="folder", errors="ignore")]


READERS: dict[str, Callable[[Path], list[Any]]] = {
    **dict.fromkeys(("run", "seeds", "folds", "watched"), _read_run),
    "checkpoint": _read_checkpoint, "audit": _read_audit, "sweep": _read_sweep,
}  # fmt: skip


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, pd.DataFrame):
        return one.equals(other)
    if hasattr(one, "tobytes"):
        return bool(one.tobytes() == other.tobytes())
    return bool(one == other)


def _intact(kind: str, good: Path) -> list[Any]:
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as place:
        warnings.simplefilter("ignore")
        return READERS[kind](Path(shutil.copytree(good, Path(place) / kind)))


def _check(kind: str, good: Path, folder: Path) -> str:
    before = work.once(f"intact {kind}", functools.partial(_intact, kind, good))
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
    good = made(_prepare) / kind
    copy = Path(shutil.copytree(good, folder / kind))
    chance = chance_of("bits", kind, number)
    files = sorted(path for path in copy.rglob("*") if path.is_file() and path.stat().st_size)
    path = files[number % len(files)]
    damage(path, chance)
    lost = told(_check, kind, good, copy)
    return f"{path.relative_to(copy)}: {lost}" if lost else ""


def trials() -> Iterator[Trial]:
    """All kinds of folders in turn."""
    for number in range(max(FOLDERS.values())):
        for kind, times in FOLDERS.items():
            if number < times:
                yield Trial(f"{kind} {number}", functools.partial(_attempt, kind, number))


CAMPAIGN = Campaign("single flipped bits and truncations, every kind of file", 1000, trials)
