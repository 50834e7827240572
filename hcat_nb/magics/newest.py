"""Does the newest of many jobs in a thread, so that a panel never waits."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from hcat_nb.jupyter.screens import in_thread

T = TypeVar("T")


class Newest(Generic[T]):
    """Calls one job at a time; of those that wait only the newest is ever done.

    ``done`` and ``failed`` hear of a job unless a newer one was offered meanwhile. It begins after
    ``wait`` seconds without a newer one: typing makes many.
    """

    def __init__(
        self,
        done: Callable[[T], None],
        failed: Callable[[Exception], None],
        wait: float = 0.0,
    ) -> None:
        self._done = done
        self._failed = failed
        self._wait = wait
        self._changed = threading.Condition()
        self._job: Callable[[], T] | None = None
        self._number = 0
        self._works = False

    def offer(self, job: Callable[[], T]) -> None:
        """Do ``job`` soon, in place of what still waits."""
        with self._changed:
            self._job = job
            self._number += 1
            self._changed.notify_all()
            if not self._works:
                self._works = True
                in_thread(self._work, "hcat-newest")

    def drop(self) -> None:
        """Forget what waits, and what the job that runs will give."""
        with self._changed:
            self._job = None
            self._number += 1
            self._changed.notify_all()

    def join(self, timeout: float) -> bool:
        """Wait until nothing is to be done; return whether that was so in time."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._works, timeout)

    def _work(self) -> None:
        while True:
            with self._changed:
                while self._wait and self._job is not None:
                    number = self._number
                    if not self._changed.wait_for(lambda: number != self._number, self._wait):  # noqa: B023
                        break
                job, self._job, number = self._job, None, self._number
                if job is None:
                    self._works = False
                    self._changed.notify_all()
                    return
            try:
                result = job()
                if self._is_newest(number):
                    self._done(result)
            except Exception as error:  # a thread has no caller: the panel shows it
                if self._is_newest(number):
                    self._failed(error)

    def _is_newest(self, number: int) -> bool:
        with self._changed:
            return number == self._number
