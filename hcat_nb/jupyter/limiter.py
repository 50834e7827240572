"""Sends the newest of many states, no faster than a browser can draw.

Acknowledgements do not arrive while a cell blocks, so time alone has to be
enough; where they do arrive, slow drawing lengthens the pause.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

__all__ = ["Limiter"]

_DRAWS = 3  # the browser may spend a third of its time on drawing


class Limiter:
    """At most one call in ``max(interval, 3 x the last draw)`` seconds.

    Parameters
    ----------
    interval : float
        Seconds between two calls at least.
    on_error : callable
        Gets what a delayed call raised; a call made by :meth:`offer` or
        :meth:`finish` raises to its caller.
    clock : callable
        Seconds, never going back.
    """

    def __init__(
        self,
        interval: float,
        on_error: Callable[[Exception], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._interval = interval
        self._on_error = on_error
        self._clock = clock
        self._lock = threading.Lock()
        self._sending = threading.Lock()  # keeps two sends in the order of their offers
        self._pending: Callable[[], None] | None = None
        self._timer: threading.Timer | None = None
        self._next = float("-inf")
        self._draw = 0.0

    def drawn(self, seconds: float) -> None:
        """Take note of how long the browser took for the last one."""
        with self._lock:
            self._draw = max(0.0, seconds)

    def offer(self, send: Callable[[], None]) -> None:
        """Call ``send`` now or later, or never if a newer one comes first."""
        with self._lock:
            self._pending = send
            wait = self._next - self._clock()
            if wait > 0:
                if self._timer is None:
                    self._timer = threading.Timer(wait, self._fire)
                    self._timer.daemon = True
                    self._timer.start()
                return
        self._send_pending()

    def finish(self) -> None:
        """Call what is still pending at once; no thread is left."""
        with self._lock:
            timer, self._timer = self._timer, None
            if timer is not None:
                timer.cancel()
        self._send_pending()

    def _fire(self) -> None:
        with self._lock:
            self._timer = None
        try:
            self._send_pending()
        except Exception as error:  # a thread has no caller: hand it on
            self._on_error(error)

    def _send_pending(self) -> None:
        with self._sending:
            with self._lock:
                send, self._pending = self._pending, None
                self._next = self._clock() + max(self._interval, _DRAWS * self._draw)
            if send is not None:
                send()
