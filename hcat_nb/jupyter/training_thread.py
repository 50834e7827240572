"""Trains in a thread while cells and buttons stay free.

Nothing is printed: what a thread prints may land in any cell, or in none.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from hcat_nb.errors import HcatError, SpecError
from hcat_nb.jupyter.interrupt import TRAINING, empty_frames
from hcat_nb.jupyter.latest import keep
from hcat_nb.jupyter.screens import in_thread

if TYPE_CHECKING:
    from hcat_nb.training.events import Control

R = TypeVar("R")  # a run

# Held by a training, and by whoever draws from the same random streams.
_busy, _drawing = threading.Lock(), threading.Lock()
_LOOK_SECONDS = 0.05


@contextmanager
def alone() -> Iterator[None]:
    """Train no other run meanwhile (SpecError): two would draw from the same random streams.

    What goes on :func:`aside` ends first.
    """
    if not _busy.acquire(blocking=False):
        raise SpecError(
            "another run is being trained in this notebook", remedy="stop it, or wait for its end"
        )
    try:
        with _drawing:
            yield
    finally:
        _busy.release()


@contextmanager
def aside() -> Iterator[None]:
    """Preview or try something while no run is trained: it draws from the same random streams."""
    while _busy.locked() or not _drawing.acquire(timeout=_LOOK_SECONDS):
        if _busy.locked():
            raise SpecError(
                "a run is being trained in this notebook, and this would disturb it",
                remedy="wait for its end",
            )
    try:
        yield
    finally:
        _drawing.release()


def trained(train: Callable[[], R]) -> R:
    """Train in this thread, which has a grad mode of its own; the run becomes the newest."""
    import torch

    with alone(), torch.enable_grad():
        return keep(train())


class TrainingThread:
    """One training; daemonic, so that a restart of the kernel does not wait for it.

    ``ended`` is called in the thread when it is over, however it ended. ``run`` is what came out,
    of one that stopped or diverged the epochs before; the frames of ``error`` hold nothing.
    """

    def __init__(self, train: Callable[[Control], Any], ended: Callable[[], None]) -> None:
        from hcat_nb.training.events import Control

        self.control = Control()
        self.run: Any = None
        self.error: Exception | None = None
        self.warnings: list[str] = []
        self._train = train
        self._ended = ended
        self._over, self._shown = threading.Event(), threading.Event()

    def start(self) -> None:
        """Begin, and return at once."""
        in_thread(self._body, TRAINING)

    @property
    def over(self) -> bool:
        """Whether it ended."""
        return self._over.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is over and ``ended`` was called; return whether that came in time."""
        return self._shown.wait(timeout)

    def _body(self) -> None:
        try:
            with _collected_warnings(self.warnings):
                self.run = trained(lambda: self._train(self.control))
        except HcatError as error:
            self.run = getattr(error, "run", None)
            self._fail(error)
        except Exception as error:  # a thread has no caller: the panel shows it
            self._fail(error)
        finally:
            self._train = _nothing  # it holds the user's data and model
            self._over.set()
            try:
                self._ended()
            finally:
                self._shown.set()

    def _fail(self, error: Exception) -> None:
        empty_frames(error)
        self.error = error


@contextmanager
def _collected_warnings(found: list[str]) -> Iterator[None]:
    """Collect the warnings of this thread; those of others are shown as before.

    ``warnings.catch_warnings`` would swallow those of all threads.
    """
    thread, before = threading.current_thread(), warnings.showwarning

    def show(message: Any, category: Any, *place: Any, **more: Any) -> None:
        if threading.current_thread() is thread:
            found.append(str(message))
        else:
            before(message, category, *place, **more)

    warnings.showwarning = show  # the documented way to redirect them
    try:
        yield
    finally:
        if warnings.showwarning is show:
            warnings.showwarning = before


def error_words(error: Exception) -> str:
    """Return an error as one line; a defect names its type."""
    text = " ".join(str(error).split())
    return text if isinstance(error, HcatError) else f"{type(error).__name__}: {text}"


def _nothing(_: Control) -> Any:
    raise AssertionError("the training is over")
