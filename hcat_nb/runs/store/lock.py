"""One owner at a time: a lock that goes with the process that holds it, also after a reboot.

The lock is the operating system's on an open file (POSIX record locks, which
a forked child does not inherit); what stands in the file only names the owner.
"""

from __future__ import annotations

import datetime
import json
import os
import platform
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hcat_nb.errors import StoreError
from hcat_nb.runs.store.atomic import writing
from hcat_nb.runs.store.digests import parsed

LOCK = ".lock"  # in a folder that has one owner at a time

# A record lock belongs to the process; threads of one process are told apart here.
_here: dict[str, threading.Lock] = {}
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_here.clear)


@contextmanager
def owned(folder: Path, doing: str, file: str | None = None) -> Iterator[None]:
    """Be the only owner of ``folder``, or of one ``file`` in it, for a while.

    It is made if it is not there; folders that were made for it and stayed empty go again.
    ``doing`` is for the error that another one gets.
    """
    made = [one for one in (folder, *folder.parents) if not one.exists()]
    path = folder / (LOCK if file is None else f".{file}{LOCK}")
    what = folder if file is None else folder / file
    here = _here.setdefault(str(path), threading.Lock())
    if not here.acquire(blocking=False):
        raise _taken(what, f"process {os.getpid()}, which is this one")
    try:
        with writing(folder, "choose another folder"):
            folder.mkdir(parents=True, exist_ok=True)
            handle = _take(path, what)
        try:
            with writing(folder, "make room there and resume, or choose another folder"):
                _describe(handle, doing)
            yield
        finally:
            _let_go(path, handle)
    finally:
        here.release()
        with suppress(OSError):  # not empty: it holds what was to be written
            for one in made:
                one.rmdir()


def _take(path: Path, what: Path) -> int:
    """Return the open file of the lock on ``what``, which this process holds then."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o644)
        try:
            if not _lock(handle):
                raise _taken(what, _owner(handle))
            # Who held it before may have taken the file away between the two calls.
            if path.exists() and os.path.samestat(os.fstat(handle), path.stat()):
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _lock(handle: int) -> bool:
    """Say whether the lock is ours now."""
    if os.name == "nt":
        import msvcrt

        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _describe(handle: int, doing: str) -> None:
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    owner = {"pid": os.getpid(), "host": platform.node(), "since": now, "doing": doing}
    os.ftruncate(handle, 0)
    os.write(handle, json.dumps(owner).encode())


def _owner(handle: int) -> str:
    try:
        owner = parsed(os.pread(handle, 4096, 0) if hasattr(os, "pread") else b"")
        return "process {pid} on {host}, since {since}: {doing}".format_map(owner)
    except (OSError, ValueError, KeyError, TypeError):  # it writes its name at this moment
        return "another process"


def _taken(what: Path, owner: str) -> StoreError:
    return StoreError(
        f"{what} is in use by {owner}",
        "one owner at a time",
        "wait until it is done, end it, or choose another place",
    )


def _let_go(path: Path, handle: int) -> None:
    if os.name == "nt":  # an open file cannot be taken away there
        os.close(handle)
        with suppress(OSError):
            path.unlink()
        return
    with suppress(OSError):  # the folder is gone, or cannot be written any more
        path.unlink()
    os.close(handle)
