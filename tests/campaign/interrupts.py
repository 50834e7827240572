"""Ctrl-C once and twice, SIGTERM, and a kernel that is restarted under its open panels."""

from __future__ import annotations

import functools
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import psutil
from jupyter_client.manager import KernelManager

import hcat_nb as hcat
from hcat_nb.cli import main
from hcat_nb.errors import StoreError
from tests.campaign import work
from tests.campaign.kills import N_RUNS, _events, _sweep
from tests.campaign.trials import (
    Campaign,
    LostError,
    Trial,
    chance_of,
    gone,
    start,
    struck,
    timed,
    told,
)

WORDS = [
    *("--target", "y", "--epochs", "12", "--methods", "el2n,aum"),
    *("--model", "dense", "--seed", "0", "--device", "cpu"),
]
HOWS = {"once": [signal.SIGINT], "twice": [signal.SIGINT] * 2, "SIGTERM": [signal.SIGTERM]}


def _file(folder: Path) -> Path:
    path = folder / "rows.csv"
    pd.DataFrame(work.TABLE, columns=list("abcdef")).assign(y=work.LABELS).to_csv(path, index=False)
    return path


def _command(folder: Path) -> None:
    raise SystemExit(main(["run", str(_file(folder)), "--out", str(folder / "run"), *WORDS]))


def _undisturbed() -> pd.DataFrame:
    with tempfile.TemporaryDirectory() as folder:
        try:
            _command(Path(folder))
        except SystemExit as ended:
            if ended.code:
                raise LostError(f"an undisturbed run ended with {ended.code}") from None
        return hcat.load_run(Path(folder) / "run").scores


def _check(folder: Path) -> None:
    place = folder / "run"
    written = any((place / name).exists() for name in ("run.json", "checkpoint/checkpoint.json"))
    try:
        run = hcat.load_run(place)
    except StoreError:
        if not written:
            return  # stopped before the first epoch was over: there is nothing to lose
        run = hcat.resume(place)
    if (place / "checkpoint" / "checkpoint.json").exists():
        run = hcat.resume(place)
    if not run.scores.equals(work.once("command", _undisturbed)):
        raise LostError("other scores")


@functools.cache
def _seconds() -> float:
    with tempfile.TemporaryDirectory() as folder:
        return timed(_command, Path(folder))


def _run(how: str, number: int, folder: Path) -> str:
    chance = chance_of("interrupt", how, number)
    process = start(_command, folder)
    first, *more = HOWS[how]
    process.join(_seconds() * chance.random())
    for signum in more:
        if process.is_alive():
            os.kill(process.pid, signum)
        process.join(0.3 * chance.random())
    struck(process, 0, first)
    told(_check, folder)
    return ""


def _swept(number: int, folder: Path) -> str:
    chance = chance_of("interrupt", "sweep", number)
    with _sweep(folder) as process:
        wanted = chance.randrange(N_RUNS)
        while sum("done" in events for events in _events(folder / "out").values()) < wanted:
            if process.poll() is not None:
                break
            time.sleep(0.02)
        time.sleep(2 * chance.random())
        family = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        process.wait(600)
    gone(family)
    with _sweep(folder) as process:
        process.wait(600)
    done = [events.count("done") for events in _events(folder / "out").values()]
    return "" if done == [1] * N_RUNS else f"runs were done {done} times"


OPENS = """
from IPython.display import display
import torch
torch.set_num_threads(1)
import hcat_nb as hcat
from tests.campaign import work
get_ipython().run_line_magic("load_ext", "hcat_nb")
get_ipython().run_line_magic("hcat_panel", "digits")
run = work.train("logits", out={earlier!r})
display(run.explore())
run.decisions().drop([5])
work.train("logits", out={place!r})
"""
GOES_ON = """
from pathlib import Path
import hcat_nb as hcat
from tests.campaign import work
assert hcat.load_run({earlier!r}).decisions().frame().index.tolist() == [5]
work.come_back("logits", Path({place!r}))
print("whole")
"""


def _restarted(number: int, folder: Path) -> str:
    chance = chance_of("restart", number)
    earlier, place = folder / "earlier", folder / "run"
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=120)
        client.execute(OPENS.format(earlier=str(earlier), place=str(place)))
        decided = earlier.with_name("earlier.decisions.json")
        until = time.monotonic() + 120
        while not (decided.exists() or (earlier / "decisions.json").exists()):
            if time.monotonic() > until:
                return f"the panels did not open: {sorted(folder.rglob('*'))[:20]}"
            time.sleep(0.02)
        time.sleep(1.5 * chance.random())
        manager.restart_kernel(now=True)
        client.wait_for_ready(timeout=120)
        said: list[str] = []
        reply = client.execute_interactive(
            GOES_ON.format(earlier=str(earlier), place=str(place)),
            timeout=300,
            output_hook=lambda message: said.append(str(message["content"])),
        )
        return "" if reply["content"]["status"] == "ok" else f"{reply['content']} {said}"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def trials() -> Iterator[Trial]:
    """All ways in turn."""
    for number in range(15):
        for how in HOWS:
            yield Trial(f"run, {how} {number}", functools.partial(_run, how, number))
        if number < 8:
            yield Trial(f"kernel {number}", functools.partial(_restarted, number))
            yield Trial(f"sweep {number}", functools.partial(_swept, number))


CAMPAIGN = Campaign("SIGINT once and twice, SIGTERM, kernel restart with open panels", 60, trials)
