from __future__ import annotations

import os
import queue
import signal
import threading
import weakref
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from hcat_nb import signals
from hcat_nb.jupyter.interrupt import wait_for

Interrupt = Callable[[float], None]


@pytest.fixture(autouse=True)
def handler_is_restored() -> object:
    before = signal.getsignal(signal.SIGINT)
    yield
    assert signal.getsignal(signal.SIGINT) is before


@pytest.fixture
def interrupt_at(monkeypatch: pytest.MonkeyPatch) -> Interrupt:
    """A function that interrupts the waiting thread, at a time, and returns once it was heard.

    Work calls it, which begins when somebody listens.
    """
    times: queue.Queue[float] = queue.Queue()
    heard = threading.Semaphore(0)

    def monotonic() -> float:
        heard.release()
        return times.get_nowait()

    def send(seconds: float) -> None:
        times.put(seconds)
        os.kill(os.getpid(), signal.SIGINT)
        assert heard.acquire(timeout=300)

    monkeypatch.setattr(signals, "time", SimpleNamespace(monotonic=monotonic))
    return send


def test_a_result_comes_back_from_another_thread() -> None:
    name = wait_for(lambda: threading.current_thread().name, threading.Event())
    assert name == "hcat-training"


def test_one_interrupt_stops_softly(interrupt_at: Interrupt) -> None:
    stop = threading.Event()

    def work() -> str:
        interrupt_at(7.0)
        assert stop.wait(300)
        return "the finished epochs"

    assert wait_for(work, stop) == "the finished epochs"


def test_a_double_click_is_one_interrupt(interrupt_at: Interrupt) -> None:
    stop = threading.Event()

    def work() -> str:
        interrupt_at(7.0)
        interrupt_at(7.99)
        assert stop.wait(300)
        return "the finished epochs"

    assert wait_for(work, stop) == "the finished epochs"


def test_a_later_second_one_gives_up(interrupt_at: Interrupt) -> None:
    stop, release = threading.Event(), threading.Event()

    def work() -> None:
        interrupt_at(7.0)
        interrupt_at(8.01)
        release.wait(300)

    with pytest.raises(KeyboardInterrupt):
        wait_for(work, stop)
    release.set()
    assert stop.is_set()


def test_an_error_is_raised_as_itself() -> None:
    mine = ValueError("mine")

    def work() -> None:
        raise mine

    with pytest.raises(ValueError, match="mine") as caught:
        wait_for(work, threading.Event())
    assert caught.value is mine
    assert "work" in [entry.name for entry in caught.traceback]


def test_an_error_does_not_keep_what_its_frames_held() -> None:
    class Large:
        pass

    held: list[weakref.ref[Large]] = []

    def work() -> None:
        large = Large()
        held.append(weakref.ref(large))
        try:
            raise KeyError("inner")
        except KeyError as error:
            raise RuntimeError("outer") from error

    with pytest.raises(RuntimeError) as caught:
        wait_for(work, threading.Event())
    assert held[0]() is None
    assert caught.value.__cause__ is not None


def test_in_another_thread_signals_are_left_alone() -> None:
    results: list[int] = []
    thread = threading.Thread(target=lambda: results.append(wait_for(lambda: 3, threading.Event())))
    thread.start()
    thread.join()
    assert results == [3]
