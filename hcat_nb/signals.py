"""One way to take Ctrl-C: the first asks for an end in order, a later one does more."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


@contextmanager
def interrupts(
    soon: threading.Event, again: Callable[[], None] | None = None, *, apart: float = 0.0
) -> Iterator[None]:
    """Let the first Ctrl-C set ``soon``, and a later one call ``again``, or do what it did before.

    Only the main thread gets signals: in another one nothing is changed.  One within ``apart``
    seconds of the first is a double click.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: Any = signal.getsignal(signal.SIGINT)
    first: list[float] = []

    def handle(_number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        soon.set()
        if again is None:
            signal.signal(signal.SIGINT, before)
        elif first and now - first[0] > apart:
            again()
        first.append(now)

    signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
