"""Runs work in a thread while the cell waits, so that an interrupt is gentle.

The first interrupt asks the work to end after its batch; its result is
returned all the same.  One that comes more than a second later (so, no double
click) gives up waiting.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from typing import TypeVar

from hcat_nb.jupyter.screens import in_thread
from hcat_nb.signals import interrupts

T = TypeVar("T")

TRAINING = "hcat-training"  # the thread that trains
_GUARD_SECONDS = 1.0


def wait_for(work: Callable[[], T], stop: threading.Event) -> T:
    """Run ``work`` in a daemon thread and return what it returns, or raise what it raised.

    The frames of its error are emptied, or the shell's last traceback would keep a model and its
    data alive. At the second interrupt KeyboardInterrupt; ``work`` goes on to its end unheard.
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

    with interrupts(stop, _give_up, apart=_GUARD_SECONDS):
        in_thread(body, TRAINING)
        # Not Thread.join: interrupted, it takes a running thread for dead (CPython 3.11).
        while not done.wait(0.1):
            pass
    if errors:
        error = errors.pop()
        empty_frames(error)
        raise error
    return results.pop()


def _give_up() -> None:
    raise KeyboardInterrupt


def empty_frames(error: BaseException | None) -> None:
    """Let the frames of an error, and of what caused it, hold nothing; lines and names stay."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__
