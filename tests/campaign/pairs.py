"""Two processes on one folder: one is refused by a line that names the other, or both come out."""

from __future__ import annotations

import functools
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import hcat_nb as hcat
from hcat_nb.api.rescore import rescore
from hcat_nb.errors import HcatError
from hcat_nb.sweeps.sweep import sweep
from tests.campaign import work
from tests.campaign.kills import TINY, _audit, _come_back, _same_audit, _still_scored
from tests.campaign.trials import CONTEXT, Campaign, Trial, _answer, _wait, chance_of, start, told


def _prepared(folder: Path) -> None:
    work.saved("logits", folder / "run")


def _train(folder: Path) -> None:
    work.saved("run", folder / "run")


def _train_over(folder: Path) -> None:
    work.saved("logits", folder / "run", overwrite=True)


def _resume(folder: Path) -> None:
    hcat.resume(folder / "run", work.TABLE, work.LABELS)


def _save(folder: Path) -> None:
    hcat.load_run(folder / "run").save(folder / "run", overwrite=True)


def _rescore(folder: Path) -> None:
    rescore(folder / "run", "loss")


def _sweep(folder: Path) -> None:
    sweep([TINY, {**TINY, "seed": 1}], out=folder / "out", workers=1)


def _swept(folder: Path) -> None:
    _sweep(folder)
    assert hcat.results(folder / "out")["run"].nunique() == 2


def _read(folder: Path) -> None:
    for _ in range(20):
        assert hcat.load_run(folder / "run").scores.notna().all(axis=None)


Step = Callable[[Path], object]
PAIRS: dict[str, tuple[Step | None, Step, Step, Step]] = {
    "run, run": (None, _train, _train, functools.partial(_come_back, "run")),
    "run, resume": (None, _train, _resume, functools.partial(_come_back, "run")),
    "overwriting, reading": (_prepared, _train_over, _read, _still_scored),
    "saving, saving": (_prepared, _save, _save, _still_scored),
    "saving, rescoring": (_prepared, _save, _rescore, _still_scored),
    "rescoring, rescoring": (_prepared, _rescore, _rescore, _still_scored),
    "audit, audit": (None, _audit, _audit, _same_audit),
    "sweep, sweep": (None, _sweep, _sweep, _swept),
}


def _told(act: Step, folder: Path) -> str:
    warnings.simplefilter("ignore")
    try:
        act(folder)
    except HcatError as error:
        return str(error)
    return ""


def _pair(name: str, number: int, folder: Path) -> str:
    prepare, one, other, check = PAIRS[name]
    if prepare is not None:
        told(prepare, folder)
    answers = [CONTEXT.SimpleQueue(), CONTEXT.SimpleQueue()]
    processes = [start(_answer, answers[0], _told, one, folder)]
    time.sleep(chance_of("pairs", name, number).random())
    processes.append(start(_answer, answers[1], _told, other, folder))
    for process, answer in zip(processes, answers, strict=True):
        ended = _wait(process)
        if answer.empty():
            return f"a process {ended}"
        failed, said = answer.get()
        if failed or "room" in said or "\n" in said:
            return str(said)
    told(check, folder)
    return ""


def trials() -> Iterator[Trial]:
    """All pairs in turn."""
    for number in range(4):
        for name in PAIRS:
            yield Trial(f"{name} {number}", functools.partial(_pair, name, number))


CAMPAIGN = Campaign("pairs of processes on one folder", 20, trials)
