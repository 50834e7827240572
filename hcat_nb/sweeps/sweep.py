"""The sweep: all runs of a plan, each once, however often it is interrupted."""

from __future__ import annotations

import logging
import os
import shlex
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hcat_nb.casts import as_path
from hcat_nb.errors import SpecError, StoreError, UnknownNameError
from hcat_nb.registry import nearest
from hcat_nb.runs.store.digests import unsealed
from hcat_nb.runs.store.folder import RECORD
from hcat_nb.runs.store.lock import owned
from hcat_nb.signals import interrupts
from hcat_nb.sweeps._plan_file import begin, check_out, remembered
from hcat_nb.sweeps._state import DONE, RUN, done_state
from hcat_nb.sweeps._version import code_version
from hcat_nb.sweeps.grid import LIMITS, Cell, Plan, read_plan
from hcat_nb.sweeps.progress import (
    Standing,
    SweepListener,
    SweepProgress,
    TerminalProgress,
)

if TYPE_CHECKING:
    import pandas as pd

    from hcat_nb.sweeps._team import Team
    from hcat_nb.sweeps.dry_run import DryRun

_log = logging.getLogger(__name__)

# With the limit that broke a run it would break again.
_RAISED = {"time limit": " --time-limit MORE", "memory limit": " --memory-limit MORE"}
_TURN = 0.2  # seconds between two looks at the clock and at interrupts


@dataclass(frozen=True)
class Stop:
    """Ends a sweep from another thread: ``soon`` lets running runs finish, ``now`` ends them."""

    soon: threading.Event = field(default_factory=threading.Event)
    now: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, eq=False)
class Sweep:
    """What a sweep did: ``states`` of the runs by address, and how many were ``skipped``."""

    out: Path
    cells: tuple[Cell, ...]
    states: dict[str, dict[str, Any]]
    skipped: int
    seconds: float

    @property
    def done(self) -> int:
        """Number of runs that are complete."""
        return sum(state["state"] == DONE for state in self.states.values())

    @property
    def failures(self) -> list[dict[str, Any]]:
        """States of the runs that did not end well."""
        return [state for state in self.states.values() if state["state"] != DONE]

    def results(self, **options: Any) -> pd.DataFrame:
        """Return all finished runs as one table; see :func:`hcat_nb.results`."""
        from hcat_nb.sweeps.collect import results

        return results(self.out, **options)

    def __repr__(self) -> str:
        hint = " (print it to see which)" if self.failures else ""
        return f"<Sweep: {self._line()}{hint}>"

    def __str__(self) -> str:
        lines = [self._line()]
        cells = {cell.address: cell for cell in self.cells}
        out = shlex.quote(str(self.out))
        for state in self.failures:
            address = state["address"]
            lines += [
                f"  {state['state']}: {cells[address]}",
                f"    {_first_line(state['error'])}",
                f"    notebook: {self.out / address / 'benchmark.ipynb'}",
                f"    again: hcat sweep {out} --only {address}" + _RAISED.get(state["state"], ""),
            ]
        if self.done + len(self.failures) < len(self.cells):
            lines.append(f"`hcat sweep {out}` goes on from there")
        return "\n".join(lines)

    def _line(self) -> str:
        words = [f"{self.out}, {len(self.cells)} runs: {self.done} done"]
        words += [f"{self.skipped} of them before"] if self.skipped else []
        words += [f"{len(self.failures)} failed"] if self.failures else []
        left = len(self.cells) - len(self.states)
        words += [f"{left} to do"] if left else []
        return ", ".join(words)


def sweep(
    source: Any,
    *,
    out: str | os.PathLike[str] | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    time_limit: float | None = None,
    memory_limit: float | None = None,
    only: Sequence[str] = (),
    dry_run: bool = False,
    listener: SweepListener | None = None,
    stop: Stop | None = None,
) -> Sweep | DryRun:
    """Do many runs, each in a notebook and a folder of its own; those that are done are skipped.

    Parameters
    ----------
    source : mapping, sequence or path
        A grid, a list or a sample of parameters, or a YAML file of such; see
        :func:`hcat_nb.sweeps.grid.read_plan`.  Or the folder of a sweep, which goes on.
    out : str or Path, optional
        The sweep's folder; also ``out`` in ``source``.
    workers : int, optional
        Runs at a time on this machine; the cores are shared out among them
        (default: one for each core, at most one for each run).
    scheduler : str, optional
        Address of a Dask scheduler whose workers do the runs, or ``"local"``.
        They must see ``out`` and have the same code.
    time_limit : float, optional
        Seconds after which a run is ended.
    memory_limit : float, optional
        Megabytes of resident memory above which a run is ended.
    only : sequence of str
        Addresses (or beginnings of them) of the runs to do.
    dry_run : bool
        Say what would be done, and how long it would take.
    listener : SweepListener, optional
        Shows progress (default: a bar in a terminal).
    stop : Stop, optional
        Ends the sweep from another thread.

    Returns
    -------
    Sweep
        Or a DryRun.  Ctrl-C lets runs finish, pressed again ends them; either
        way the same call goes on from there.

    Raises
    ------
    HcatError
        If anything is wrong with the plan, before any run begins.

    Examples
    --------
    >>> import hcat_nb as hcat
    >>> grid = {"dataset": ["wine"], "epochs": [2], "hardness": ["uniform"], "p": [0.1, 0.2]}
    >>> len(hcat.sweep({"grid": grid}, out="results", dry_run=True).table)
    2
    """
    plan = _plan(source)
    given: dict[str, Any] = {"out": out, "workers": workers, "scheduler": scheduler}
    given |= {"time_limit": time_limit, "memory_limit": memory_limit}
    settings = _settings(plan, given)
    cells = _only(plan.cells, only)
    if dry_run:
        from hcat_nb.sweeps.dry_run import dry_run as tell

        return tell(cells, settings)
    check_out(settings["out"])
    with owned(settings["out"], "hcat sweep"):
        return _do_the_rest(Plan(plan.cells, settings), cells, listener, stop)


def _do_the_rest(
    plan: Plan, cells: tuple[Cell, ...], listener: SweepListener | None, stop: Stop | None
) -> Sweep:
    """Resume or begin a sweep whose folder is owned: do the runs that are not done yet.

    A run that was cut short begins anew, not from its checkpoint: ``_execute`` in ``_cell.py``.
    """
    folder, settings = begin(plan), plan.settings
    found = {cell.address: done_state(folder / cell.address) for cell in cells}
    states = {address: state for address, state in found.items() if state}
    todo = deque(cell for cell in cells if cell.address not in states)
    began, skipped = time.monotonic(), len(states)
    if todo:
        ending = stop or Stop()
        _log.info(
            "%s: %d runs to do, %d complete, code %s", folder, len(todo), skipped, code_version()
        )
        with interrupts(ending.soon, ending.now.set):
            team = _team(settings, len(todo))
            try:
                _work(team, todo, folder, settings, states, listener or TerminalProgress(), ending)
            finally:
                team.close()
                ended = len(states) - skipped
                _log.info("%s: %d runs ended, %d to do", folder, ended, len(cells) - len(states))
    return Sweep(folder, cells, states, skipped, time.monotonic() - began)


def _work(
    team: Team,
    todo: deque[Cell],
    folder: Path,
    settings: Mapping[str, Any],
    states: dict[str, dict[str, Any]],
    listener: SweepListener,
    ending: Stop,
) -> None:
    """Hand out runs until none is left, or it is to end; write down how each ended."""
    complete, began = len(states), time.monotonic()
    total, failed = complete + len(todo), 0
    shown: SweepProgress | None = None
    recalled, standing = False, Standing()
    for before in states.values():
        _count_in(standing, folder, before)
    try:
        while not ending.now.is_set():
            width = team.width  # a cluster is asked for it
            while todo and team.pending < team.capacity and not ending.soon.is_set():
                cell = todo.popleft()
                _log.info("run %s handed over: %s", cell.address, cell)
                team.submit(_request(cell, folder, settings))
            if ending.soon.is_set() and not recalled:
                team.recall()
                recalled = True
            ended = len(states) - complete
            left = None
            if ended:
                pace = (time.monotonic() - began) / ended
                left = pace * (len(todo) + team.pending)
            waiting = team.pending > 0 and width == 0
            running = min(team.pending, width)
            now = SweepProgress(
                total, complete, ended - failed, failed, running, left, waiting, str(standing)
            )
            if now != shown:
                listener.show(now)
                shown = now
            if not team.pending:
                return
            if (state := team.next(_TURN)) is not None:
                states[state["address"]] = state
                _say_end(state)
                _count_in(standing, folder, state)
                failed += state["state"] != DONE
    finally:
        listener.end()


def _count_in(standing: Standing, folder: Path, state: Mapping[str, Any]) -> None:
    """Let a run count for who is best so far."""
    if state["state"] != DONE:
        return
    try:
        record = unsealed((folder / state["address"] / RUN / RECORD).read_bytes())
        standing.add(record["metrics"] or ())
    except (OSError, ValueError, KeyError, TypeError) as error:  # the sweep goes on without it
        _log.warning("run %s is not among the best so far: %r", state["address"], error)


def _say_end(state: Mapping[str, Any]) -> None:
    done = state["state"] == DONE
    _log.log(
        logging.INFO if done else logging.WARNING,
        "run %s: %s%s (%s s, at most %s MB)",
        state["address"],
        state["state"],
        "" if done else f", {_first_line(state['error'])}",
        state.get("seconds", "?"),
        state.get("peak_mb", "?"),
    )


def _request(cell: Cell, folder: Path, settings: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "out": str(folder),
        "address": cell.address,
        "parameters": cell.parameters,
        "version": code_version(),
        "time_limit": settings.get("time_limit"),
        "memory_limit": settings.get("memory_limit"),
    }


def _team(settings: Mapping[str, Any], n_runs: int) -> Team:
    from hcat_nb.sweeps._team import LOCAL, DaskPool, LocalPool, Team
    from hcat_nb.sweeps._workers import available_cores

    cores = available_cores()
    n_workers = min(settings.get("workers") or cores, n_runs)
    n_threads = max(1, cores // n_workers)
    if (scheduler := settings.get("scheduler")) is None:
        return Team(LocalPool(n_workers), n_threads)
    return Team(DaskPool(scheduler, n_workers), n_threads if scheduler == LOCAL else 1)


def _plan(source: Any) -> Plan:
    if isinstance(source, (str, os.PathLike)):
        source = as_path(source, StoreError)
        if source.is_dir():
            return remembered(source)
    return read_plan(source)


def _settings(plan: Plan, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the plan's settings with those that were given, checked."""
    settings = {**plan.settings, **{key: one for key, one in given.items() if one is not None}}
    if settings.get("out") is None:
        raise SpecError(
            "the sweep has no folder to write to", remedy="name one: out in the plan, or --out DIR"
        )
    if not isinstance(settings["out"], (str, os.PathLike)):
        raise SpecError(f"out is {settings['out']!r}", "the path of a folder", "quote it")
    settings["out"] = as_path(settings["out"], StoreError).resolve()
    for name in LIMITS[:3]:
        value = settings.get(name)
        kinds = (int,) if name == "workers" else (int, float)
        if value is not None and (
            isinstance(value, bool) or not isinstance(value, kinds) or not 0 < value < float("inf")
        ):
            expected = "a whole number, at least 1" if name == "workers" else "a positive number"
            raise SpecError(f"{name} is {value!r}", expected)
    scheduler = settings.get("scheduler")
    if scheduler is not None and not isinstance(scheduler, str):
        raise SpecError(f"scheduler is {scheduler!r}", "an address as tcp://host:8786, or local")
    return settings


def _only(cells: tuple[Cell, ...], only: Sequence[str]) -> tuple[Cell, ...]:
    """Return the cells that ``only`` names, in their order."""
    for word in only:
        if not any(cell.address.startswith(word) for cell in cells):
            known = [cell.address for cell in cells[:8]]
            raise UnknownNameError(f"the sweep has no run {word!r}", nearest(word, known))
    if not only:
        return cells
    return tuple(cell for cell in cells if cell.address.startswith(tuple(only)))


def _first_line(error: str | None) -> str:
    return (error or "").strip().partition("\n")[0]
