"""A disk that is full, closed or over its quota from the k-th write on, for every k.

Python's own writes fail by an audit hook, from the k-th on and with no room for cleaning up;
those of libraries by the kernel, which refuses files over a size (RLIMIT_FSIZE).
"""

from __future__ import annotations

import errno
import functools
import os
import resource
import signal
import sys
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hcat_nb as hcat
from hcat_nb.api.rescore import rescore
from hcat_nb.errors import HcatError
from hcat_nb.runs.recorded.published_map import write_data_map
from hcat_nb.sweeps.sweep import sweep
from tests.campaign import work
from tests.campaign.kills import (
    TINY,
    _audit,
    _come_back,
    _same_audit,
    _still_scored,
    _watched_scores,
)
from tests.campaign.trials import Campaign, LostError, Trial, prepared, told

ERRORS = (errno.ENOSPC, errno.EROFS, errno.EDQUOT)
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
SIZES = sorted({int(1.6**k) for k in range(26)})  # bytes, 1 to 127,000


class Disk:
    """Counts the writes below a folder, and lets none through from one on."""

    def __init__(self, folder: Path, after: int | None, number: int) -> None:
        self.place, self.after, self.number = str(folder), after, number
        self.writes, self.full = 0, True
        sys.addaudithook(self)  # for the rest of the process: it is the attempt's own

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Raise what the system would."""
        path: object = arguments[0] if arguments else None
        if event == "open":
            _, mode, flags = arguments
            if not (set(mode) & set("wax+") if isinstance(mode, str) else flags & WRITES):
                return
        elif event == "os.rename":
            path = arguments[1]
        elif event not in ("os.mkdir", "os.link", "os.truncate"):
            return
        if not (self.full and isinstance(path, str | os.PathLike)):
            return
        if os.fspath(path).startswith(self.place):
            self.writes += 1
            if self.after is not None and self.writes > self.after:
                raise OSError(self.number, os.strerror(self.number), os.fspath(path))


def _run(kind: str, folder: Path) -> None:
    work.saved(kind, folder / "run")


def _save(folder: Path) -> None:
    hcat.load_run(folder / "run").save(folder / "run", overwrite=True)


def _rescore(folder: Path) -> None:
    rescore(folder / "run", "loss")


def _decide(folder: Path) -> None:
    hcat.load_run(folder / "run").decisions().drop([4])


def _kept_decisions(folder: Path) -> None:
    found = hcat.load_run(folder / "run").decisions()
    if found.frame().index.tolist() not in ([], [4]):
        raise LostError("other decisions")
    found.drop([4])


def _watch(folder: Path) -> None:
    work.watched(0, folder / "run")


def _watched_again(folder: Path) -> None:
    if not work.watched(0, folder / "run").scores.equals(_watched_scores(0)):
        raise LostError("other scores")


def _hand_out(folder: Path) -> None:
    """What a person takes along: a page, tables, a mended table, a published map."""
    audit = hcat.load_audit(folder / "audit")
    audit.report(folder / "page.html", overwrite=True)
    audit.run.decisions().export(folder / "decisions.csv")
    audit.run.decisions().export(folder / "decisions.parquet")
    hcat.results(folder / "audit", out=folder / "results.csv")
    write_data_map(audit.run.details, folder / "map.jsonl", epochs=4)
    hcat.check(folder / "rows.csv", target="y", fix=folder / f"fixed{uuid.uuid4().hex}.csv")


def _decided_audit(folder: Path) -> None:
    work.on_a_file(folder)
    audit = _audit(folder)
    audit.answer(audit.review().queue(3).index, is_wrong=True)


def _sweep(folder: Path) -> None:
    done = sweep([TINY], out=folder / "out", workers=1)
    if odd := [one["error"] for one in done.failures if "Traceback" in one["error"]]:
        raise LostError(odd[0])


def _swept(folder: Path) -> None:
    if sweep([TINY], out=folder / "out", workers=1).done != 1:
        raise LostError("the sweep did not go on")


Step = Callable[[Path], object]
_OF_RUN = functools.partial(_run, "run")
_COME_BACK = functools.partial(_come_back, "run")
WORKS: dict[str, tuple[Step | None, Step, Step]] = {
    "saving": (_OF_RUN, _save, _COME_BACK),
    "rescore": (functools.partial(_run, "logits"), _rescore, _still_scored),
    "decisions": (_OF_RUN, _decide, _kept_decisions),
    "audit": (None, _audit, _same_audit),
    "watch": (None, _watch, _watched_again),
    "mended file": (work.on_a_file, work.mend, work.mended_or_not),
    "handed out": (_decided_audit, _hand_out, _hand_out),
    "sweep": (None, _sweep, _swept),
    "run": (None, _OF_RUN, _COME_BACK),
    **{
        kind: (None, functools.partial(_run, kind), functools.partial(_come_back, kind))
        for kind in ("logits", "seeds", "folds")
    },
}
# Their writes are those of other processes, or come again and again.
BY_SIZE = {"sweep": SIZES[::6]}


def _count(name: str, folder: Path) -> int:
    warnings.simplefilter("ignore")
    disk = Disk(folder, None, 0)
    WORKS[name][1](folder)
    disk.full = False
    return disk.writes


def _writes(name: str) -> int:
    with tempfile.TemporaryDirectory() as folder:
        prepared(WORKS[name][0], Path(folder))
        return int(told(_count, name, Path(folder)))


def _filled(name: str, folder: Path, after: int, number: int) -> str:
    _, act, check = WORKS[name]
    warnings.simplefilter("ignore")
    disk = Disk(folder, after, number)
    said = _said(lambda: act(folder))
    disk.full = False
    check(folder)
    return said


def _limited(name: str, folder: Path, size: int) -> str:
    _, act, check = WORKS[name]
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    said = _said(lambda: act(folder))
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    check(folder)
    return said


def _said(act: Callable[[], object]) -> str:
    """What the work said, or an empty text; anything but one line of ours is raised."""
    try:
        act()
    except HcatError as error:
        said = str(error)
        if "\n" in said or ("to mend it" not in said and "make room" not in said):
            raise LostError(f"promises nothing: {said}") from error
        return said
    return ""


def _attempt(folder: Path, work_of: Callable[..., str], name: str, *more: object) -> str:
    prepared(WORKS[name][0], folder)
    told(work_of, name, folder, *more)
    return ""


def trials() -> Iterator[Trial]:
    """Each write of each work in turn, then each size."""
    for name in WORKS:
        for after in range(0 if name in BY_SIZE else _writes(name)):
            number = ERRORS[after % len(ERRORS)]
            yield Trial(f"{name}, write {after}", _bound(_filled, name, after, number))
        for size in BY_SIZE.get(name, SIZES):
            yield Trial(f"{name}, {size} bytes", _bound(_limited, name, size))


def _bound(work_of: Callable[..., str], name: str, *more: object) -> Callable[[Path], str]:
    return lambda folder: _attempt(folder, work_of, name, *more)


CAMPAIGN = Campaign("full disk, read-only, quota, at every write point", 300, trials)
