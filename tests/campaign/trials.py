"""What every campaign is made of: attempts in processes of their own, and what each lost."""

from __future__ import annotations

import atexit
import functools
import multiprocessing
import os
import random
import shutil
import signal
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

CONTEXT = multiprocessing.get_context("forkserver")
PRELOAD = ["hcat_nb.sweeps._preload", "hcat_nb.audits.audit", "hcat_nb.runs.recorded.rescoring"]
LAST = "tests.campaign._preload"
SHARED = "HCAT_CAMPAIGN"  # names the folder of what all processes of a campaign compare with
SAID = "said.txt"  # in the folder of an attempt: what it was told, for people
LONGEST = 900.0  # seconds that one attempt may take before it counts as hung


@dataclass(frozen=True)
class Trial:
    """One attempt: it gets an empty folder and returns what was lost, "" where nothing was."""

    name: str
    attempt: Callable[[Path], str]


@dataclass(frozen=True)
class Campaign:
    """A line of the table: what is tried, how often at least, and the attempts."""

    what: str
    at_least: int
    trials: Callable[[], Iterator[Trial]]


def warm(names: Iterable[str] = ()) -> None:
    """Let processes begin with all that a run and these campaigns import, before the first one."""
    if SHARED not in os.environ:
        os.environ[SHARED] = tempfile.mkdtemp(prefix="campaign_shared_")
        atexit.register(shutil.rmtree, os.environ[SHARED])
    CONTEXT.set_forkserver_preload([*PRELOAD, *(f"tests.campaign.{name}" for name in names), LAST])


def chance_of(*words: object) -> random.Random:
    """Draws that depend on nothing but these words."""
    return random.Random("/".join(map(str, words)))


def start(work: Callable[..., object], *arguments: object) -> Any:
    """Start ``work`` in a process and a group of its own."""
    # Handed over: the server may have begun, for other tests, before the folder had a name.
    process = CONTEXT.Process(target=_alone, args=(os.environ[SHARED], work, *arguments))
    process.start()
    return process


def _alone(shared: str, work: Callable[..., object], *arguments: object) -> None:
    import torch

    os.environ[SHARED] = shared
    os.setsid()
    torch.set_num_threads(1)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    work(*arguments)


def told(work: Callable[..., object], *arguments: object) -> Any:
    """What ``work`` returns in a process of its own; an error there is raised here."""
    answers = CONTEXT.SimpleQueue()
    process = start(_answer, answers, work, *arguments)
    ended = _wait(process)
    if answers.empty():
        raise LostError(f"the process {ended}")
    failed, answer = answers.get()
    if failed:
        raise LostError(answer)
    return answer


@functools.cache
def made(prepare: Callable[[Path], object]) -> Path:
    """The folder that ``prepare`` filled, once a campaign."""
    folder = Path(tempfile.mkdtemp(dir=os.environ[SHARED]))
    told(prepare, folder)
    return folder


def prepared(prepare: Callable[[Path], object] | None, folder: Path) -> None:
    """Put a copy of what ``prepare`` makes into ``folder``."""
    if prepare is not None:
        shutil.copytree(made(prepare), folder, dirs_exist_ok=True)


class LostError(Exception):
    """A promise that was not kept."""


def _answer(answers: Any, work: Callable[..., object], *arguments: object) -> None:
    try:
        answers.put((False, work(*arguments)))
    except BaseException:  # goes to the table of results, as the loss that it is
        answers.put((True, traceback.format_exc(limit=-3)))


def _wait(process: Any) -> str:
    process.join(LONGEST)
    if process.is_alive():
        os.killpg(process.pid, signal.SIGKILL)
        process.join()
        return f"hung for {LONGEST:.0f} s"
    return f"ended with {process.exitcode}"


def struck(process: Any, after: float, number: int = signal.SIGKILL) -> int:
    """Send a signal after a while, wait for the end, and return how the process ended."""
    process.join(after)
    if process.is_alive():
        os.kill(process.pid, number)
    ended = _wait(process)
    if ended.startswith("hung"):
        raise LostError(ended)
    return int(process.exitcode)


def timed(work: Callable[..., object], *arguments: object) -> float:
    """Seconds that ``work`` takes in a process of its own."""
    begin = time.monotonic()
    _wait(start(work, *arguments))
    return time.monotonic() - begin


def gone(family: list[psutil.Process]) -> None:
    """Wait until none of these processes is left."""
    _, alive = psutil.wait_procs(family, timeout=300)
    if alive:
        raise LostError(f"orphans: {[one.cmdline() for one in alive]}")
