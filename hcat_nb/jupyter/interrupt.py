"""Runs work in a thread while the cell waits, so that an interrupt is gentle.

The first interrupt asks the work to end after its batch; its result is
returned all the same.  One that comes more than a second later (so, no double
click) gives up waiting.
"""

from __future__ import annotations

import contextvars
import signal
import threading
import time
import traceback
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeVar

__all__ = ["empty_frames", "wait_for"]

T = TypeVar("T")

_GUARD_SECONDS = 1.0


def wait_for(work: Callable[[], T], stop: threading.Event) -> T:
    """Run ``work`` in a daemon thread and return what it returns.

    Parameters
    ----------
    work : callable
        Ends soon after ``stop`` is set.
    stop : threading.Event
        Set by the first interrupt.

    Returns
    -------
    object

    Raises
    ------
    KeyboardInterrupt
        At the second interrupt; ``work`` goes on to its end unheard.
    Exception
        Whatever ``work`` raised, itself.  Its frames are emptied, or the
        shell's last traceback would keep a model and its data alive.
    """
    done = threading.Event()
    results: list[T] = []
    errors: list[BaseException] = []

    def body() -> None:
        try:
            results.append(work())
        except BaseException as error:  # handed to the waiting thread, which raises it
            errors.append(error)
        finally:
            done.set()

    context = contextvars.copy_context()  # holds the cell that outputs belong to
    with _interrupts(stop):
        threading.Thread(
            target=context.run, args=(body,), name="hcat-training", daemon=True
        ).start()
        # Not Thread.join: interrupted, it takes a running thread for dead (CPython 3.11).
        while not done.wait(0.1):
            pass
    if errors:
        error = errors.pop()
        empty_frames(error)
        raise error
    return results.pop()


class _interrupts:  # noqa: N801 - reads as a statement
    """Turn SIGINT into ``stop``; in another than the main thread do nothing."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._first: float | None = None
        self._before: Any = None

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._handle)

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if self._first is not None and now - self._first > _GUARD_SECONDS:
            raise KeyboardInterrupt
        if self._first is None:
            self._first = now
        self._stop.set()


def empty_frames(error: BaseException | None) -> None:
    """Let the frames of an error, and of what caused it, hold nothing; lines and names stay."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__
