"""Sends the newest of many states, no faster than browser, wire and kernel can bear.

Acknowledgements do not arrive while a cell blocks, so time alone has to be
enough; where they do arrive, slow drawing lengthens the pause.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_DRAWS = 3  # the browser may spend a third of its time on drawing,
_SHARE = 0.01  # the kernel a hundredth of its time on sending,
_BYTES = 400_000  # and the wire carries so many a second


class Pace:
    """Says when work may be done again that shall take a small share of the time, in (0, 1).

    The first time does not count: it loads what the later ones have; nor do ``free`` seconds of
    each.

    >>> now = iter([0.0, 1.0, 2.0, 2.0, 3.0, 4.0, 102.0])
    >>> pace = Pace(0.01, clock=lambda: next(now))
    >>> with pace.spending():  # from 0 to 1
    ...     pass
    >>> pace.due()  # at 2
    True
    >>> with pace.spending():  # from 2 to 3
    ...     pass
    >>> pace.due(), pace.due()  # at 4 and at 102
    (False, True)
    """

    def __init__(
        self, share: float, free: float = 0.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._share = share
        self._free = free
        self._clock = clock
        self._warm = False
        self._next = float("-inf")

    def due(self) -> bool:
        """Whether the last work was long enough ago."""
        return self._clock() >= self._next

    @contextmanager
    def spending(self) -> Iterator[None]:
        """Measure work that is done."""
        began = self._clock()
        yield
        took = self._clock() - began
        if self._warm:
            self._next = began + max(0.0, took - self._free) / self._share
        self._warm = True


class Throttle:
    """At most one call in a while.

    The while is the longest of ``interval`` (seconds), three times the last draw, a hundred times
    what the last call took, and what its bytes may take. ``on_error`` gets what a delayed call
    raised; a call made by :meth:`offer` or :meth:`finish` raises to its caller.
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
        self._pending: Callable[[], int | None] | None = None
        self._timer: threading.Timer | None = None
        self._next = float("-inf")
        self._draw = 0.0

    def drawn(self, seconds: float) -> None:
        """Take note of how long the browser took for the last one."""
        with self._lock:
            self._draw = max(0.0, seconds)

    def ready(self) -> bool:
        """Whether what is offered now is sent at once."""
        with self._lock:
            return self._clock() >= self._next

    def offer(self, send: Callable[[], int | None]) -> None:
        """Call ``send`` now or later, or never if a newer one comes first.

        It returns the bytes that it sent, if they count.
        """
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
                began = self._clock()
                self._next = began + max(self._interval, _DRAWS * self._draw)
            if send is None:
                return
            size = send() or 0
            with self._lock:
                took = self._clock() - began
                self._next = max(self._next, began + max(took / _SHARE, size / _BYTES))
