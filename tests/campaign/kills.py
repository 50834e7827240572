"""SIGKILL at random moments: then the old state is whole, or the new one, and work goes on."""

from __future__ import annotations

import functools
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

import hcat_nb as hcat
from hcat_nb.api.rescore import rescore
from hcat_nb.errors import StoreError
from tests.campaign import work
from tests.campaign.trials import (
    Campaign,
    LostError,
    Trial,
    chance_of,
    gone,
    prepared,
    start,
    struck,
    timed,
    told,
)

ROOT = Path(__file__).resolve().parents[2]
TINY = {"dataset": "wine", "hardness": "uniform", "model": "mlp", "epochs": 2, "methods": ["el2n"]}
N_RUNS = 4


def _first(kind: str, folder: Path) -> None:
    work.saved(kind, folder / "run")


def _again(folder: Path) -> None:
    work.saved("run", folder / "run", overwrite=True)


def _resume(folder: Path) -> None:
    hcat.resume(folder / "run", work.TABLE, work.LABELS)


def _save_in_turn(folder: Path) -> None:
    runs = [work.train("run", seed=seed) for seed in (0, 1)]
    for number in itertools.count():
        runs[number % 2].save(folder / "run", overwrite=True)
        (folder / "began").touch()


def _rescore_for_ever(folder: Path) -> None:
    for method in itertools.cycle(["loss", "grand"]):
        rescore(folder / "run", method)
        (folder / "began").touch()


def _decide_for_ever(folder: Path) -> None:
    decisions = hcat.load_run(folder / "run").decisions()
    with (folder / "said").open("w") as said:
        for row in range(len(work.TABLE)):
            decisions.drop([row])
            said.write(f"{row}\n")
            said.flush()


def _audit(folder: Path) -> Any:
    with suppress(StoreError):  # not finished, or not begun
        return hcat.load_audit(folder / "audit")
    return hcat.audit(
        work.TABLE, work.LABELS, out=folder / "audit", methods="el2n aum", epochs=4, seed=0
    )


def _undisturbed_audit() -> Any:
    with tempfile.TemporaryDirectory() as folder:
        return _audit(Path(folder)).samples


def _watch_in_turn(folder: Path) -> None:
    for number in itertools.count():
        work.watched(number % 2, folder / "run")
        (folder / "began").touch()


def _mend_for_ever(folder: Path) -> None:
    while True:
        work.mend(folder)
        (folder / "began").touch()


def _old_or_new(folder: Path) -> None:
    found = hcat.load_run(folder / "run").scores
    if not any(found.equals(_scores(seed)) for seed in (0, 1)):
        raise LostError("neither the old run nor the new one")


def _scores(seed: int) -> Any:
    return work.once(f"seed {seed}", lambda: work.train("run", seed=seed).scores)


def _watched_scores(seed: int) -> Any:
    return work.once(f"watched {seed}", lambda: work.watched(seed, None).scores)


def _old_or_new_watched(folder: Path) -> None:
    found = hcat.load_run(folder / "run").scores
    if not any(found.equals(_watched_scores(seed)) for seed in (0, 1)):
        raise LostError("neither the old run nor the new one")


def _still_scored(folder: Path) -> None:
    before = work.whole("logits")
    found = hcat.load_run(folder / "run").scores
    if not found[before.columns].equals(before):
        raise LostError("other scores")
    if not set(found.columns) <= {*before.columns, "loss", "grand"}:
        raise LostError(f"columns {list(found.columns)}")


def _every_decision(folder: Path) -> None:
    said = [int(line) for line in (folder / "said").read_text().split("\n")[:-1]]
    found = hcat.load_run(folder / "run").decisions().frame().index.tolist()
    if found not in (said, [*said, len(said)]):
        raise LostError(f"said {len(said)} decisions, kept {len(found)}")


def _same_audit(folder: Path) -> None:
    if not _audit(folder).samples.equals(work.once("audit", _undisturbed_audit)):
        raise LostError("another audit")


def _come_back(kind: str, folder: Path) -> None:
    work.come_back(kind, folder / "run")


# What is prepared, what is killed, what must hold then; how often.
WORKS: dict[str, tuple[Any, Any, Any, int]] = {
    "run": (None, functools.partial(_first, "run"), functools.partial(_come_back, "run"), 60),
    "seeds": (None, functools.partial(_first, "seeds"), functools.partial(_come_back, "seeds"), 35),
    "folds": (None, functools.partial(_first, "folds"), functools.partial(_come_back, "folds"), 35),
    "kept logits": (
        None, functools.partial(_first, "logits"), functools.partial(_come_back, "logits"), 20
    ),
    "overwriting": (
        functools.partial(_first, "run"), _again, functools.partial(_come_back, "run"), 20
    ),
    "saving": (None, _save_in_turn, _old_or_new, 40),
    "rescore": (functools.partial(_first, "logits"), _rescore_for_ever, _still_scored, 30),
    "decisions": (functools.partial(_first, "run"), _decide_for_ever, _every_decision, 30),
    "audit": (None, _audit, _same_audit, 20),
    "watch": (None, _watch_in_turn, _old_or_new_watched, 20),
    "mended file": (work.on_a_file, _mend_for_ever, work.mended_or_not, 20),
}  # fmt: skip
ENDLESS = {"saving": "began", "rescore": "began", "decisions": "said", "watch": "began",
           "mended file": "began"}  # fmt: skip


@functools.cache
def _seconds(name: str) -> float:
    prepare, killed, _, _ = WORKS[name]
    with tempfile.TemporaryDirectory() as folder:
        prepared(prepare, Path(folder))
        return timed(killed, Path(folder))


def _killed(name: str, number: int, folder: Path) -> str:
    prepare, killed, check, _ = WORKS[name]
    prepared(prepare, folder)
    chance = chance_of(name, number)
    if name in ENDLESS:
        process, begun = start(killed, folder), folder / ENDLESS[name]
        while not (begun.exists() and (name != "decisions" or begun.stat().st_size)):
            if process.exitcode is not None:
                raise LostError(f"the work ended with {process.exitcode}")
            time.sleep(0.01)
        struck(process, 0.5 * chance.random())
    else:
        struck(start(killed, folder), _seconds(name) * chance.random())
    told(check, folder)
    return ""


def _events(out: Path) -> dict[str, list[str]]:
    return {
        path.parent.name: [json.loads(line)["event"] for line in path.read_text().splitlines()]
        for path in out.glob("*/attempts.jsonl")
    }


def _sweep(folder: Path, *words: str, workers: int = 2) -> subprocess.Popen[bytes]:
    plan = {"base": TINY, "total_runs": N_RUNS, "fix_seed": True, "out": str(folder / "out")}
    (folder / "plan.yaml").write_text(json.dumps(plan))
    return subprocess.Popen(
        [sys.executable, "-m", "hcat_nb", "sweep", str(folder / "plan.yaml"), "--workers",
         str(workers), *words],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip


def _victims(parent: psutil.Process, whom: str) -> list[psutil.Process]:
    workers = parent.children()
    if whom.startswith("Dask"):  # beside them their resource tracker, which does no work
        workers = [one for one in workers if "spawn_main" in " ".join(one.cmdline())]
    kernels = [one for worker in workers for one in worker.children(recursive=True)]
    return {"parent": [parent], "worker": workers, "kernel": kernels}[whom.removeprefix("Dask ")]


def _swept(whom: str, number: int, folder: Path) -> str:
    chance = chance_of("sweep", whom, number)
    words = ("--scheduler", "local") if whom.startswith("Dask") else ()
    with _sweep(folder, *words) as process:
        parent = psutil.Process(process.pid)
        wanted = chance.randrange(N_RUNS)  # runs that are over at the kill
        while sum("done" in events for events in _events(folder / "out").values()) < wanted:
            if process.poll() is not None:
                break
            time.sleep(0.02)
        time.sleep(2 * chance.random())
        family: list[psutil.Process] = []
        with suppress(psutil.NoSuchProcess):  # it was quicker
            family = parent.children(recursive=True)
            if whom == "group":
                os.killpg(process.pid, signal.SIGKILL)
            elif victims := _victims(parent, whom):
                chance.choice(victims).send_signal(signal.SIGKILL)
        process.wait(300)
    gone(family)
    before = {name for name, events in _events(folder / "out").items() if "done" in events}
    # What is left is little: a second worker would take longer to begin than to do it.
    with _sweep(folder, *words, workers=1) as process:
        process.wait(600)
    after = _events(folder / "out")
    done = [name for name, events in after.items() if events.count("done") == 1]
    if len(done) != N_RUNS or not before <= set(done) or process.returncode:
        return f"{len(done)} of {N_RUNS} runs done once, exit status {process.returncode}: {after}"
    return ""


def _each(name: str, number: int) -> Callable[[Path], str]:
    return lambda folder: _killed(name, number, folder)


def _each_sweep(whom: str, number: int) -> Callable[[Path], str]:
    return lambda folder: _swept(whom, number, folder)


def trials() -> Iterator[Trial]:
    """All kinds in turn, so that a sample has some of each."""
    left = {name: times for name, (_, _, _, times) in WORKS.items()}
    sweeps = {"parent": 10, "worker": 10, "kernel": 6, "group": 6, "Dask worker": 8}
    sweeps |= {"Dask parent": 3, "Dask kernel": 3}
    for number in range(max(left.values())):
        for name, times in left.items():
            if number < times:
                yield Trial(f"{name} {number}", _each(name, number))
        for whom, times in sweeps.items():
            if number < times:
                yield Trial(f"sweep, {whom} {number}", _each_sweep(whom, number))


CAMPAIGN = Campaign(
    "SIGKILL at random moments: run, seeds, folds, logits, overwriting, saving, rescore, "
    "decisions, audit, watch, mended file, sweep (parent, worker, kernel, group; Dask: worker, "
    "parent, kernel)", 300, trials,
)  # fmt: skip
