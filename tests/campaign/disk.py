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
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hcat_nb as hcat
from hcat_nb.api.rescore import rescore
from hcat_nb.errors import HcatError
from tests.campaign import work
from tests.campaign.kills import _audit, _come_back, _same_audit, _still_scored
from tests.campaign.trials import Campaign, LostError, Trial, told

ERRORS = (errno.ENOSPC, errno.EROFS, errno.EDQUOT)
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
SIZES = sorted({int(1.35**k) for k in range(40)})  # bytes, 1 to 121,000


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


Step = Callable[[Path], object]
WORKS: dict[str, tuple[Step | None, Step, Step]] = {
    "run": (None, functools.partial(_run, "run"), functools.partial(_come_back, "run")),
    "logits": (None, functools.partial(_run, "logits"), functools.partial(_come_back, "logits")),
    "seeds": (None, functools.partial(_run, "seeds"), functools.partial(_come_back, "seeds")),
    "saving": (functools.partial(_run, "run"), _save, functools.partial(_come_back, "run")),
    "rescore": (functools.partial(_run, "logits"), _rescore, _still_scored),
    "decisions": (functools.partial(_run, "run"), _decide, _kept_decisions),
    "audit": (None, _audit, _same_audit),
}


def _count(name: str) -> int:
    prepare, act, _ = WORKS[name]
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        if prepare is not None:
            prepare(folder)
        disk = Disk(folder, None, 0)
        act(folder)
        disk.full = False
    return disk.writes


def _filled(name: str, folder: Path, after: int, number: int) -> str:
    prepare, act, check = WORKS[name]
    warnings.simplefilter("ignore")
    if prepare is not None:
        prepare(folder)
    disk = Disk(folder, after, number)
    said = _said(lambda: act(folder))
    disk.full = False
    check(folder)
    return said


def _limited(name: str, folder: Path, size: int) -> str:
    prepare, act, check = WORKS[name]
    warnings.simplefilter("ignore")
    if prepare is not None:
        prepare(folder)
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


def _attempt(folder: Path, work_of: Callable[..., str], *arguments: object) -> str:
    name, *more = arguments
    told(work_of, name, folder, *more)
    return ""


def trials() -> Iterator[Trial]:
    """Each write of each work in turn, then each size."""
    for name in WORKS:
        for after in range(told(_count, name)):
            number = ERRORS[after % len(ERRORS)]
            yield Trial(f"{name}, write {after}", _bound(_filled, name, after, number))
        for size in SIZES:
            yield Trial(f"{name}, {size} bytes", _bound(_limited, name, size))


def _bound(work_of: Callable[..., str], name: str, *more: object) -> Callable[[Path], str]:
    return lambda folder: _attempt(folder, work_of, name, *more)


CAMPAIGN = Campaign("full disk, read-only, quota, at every write point", 300, trials)
