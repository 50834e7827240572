from __future__ import annotations

import os
import signal
import threading
import time
import weakref
from collections.abc import Callable

import pytest

from hcat_nb.jupyter.interrupt import wait_for


@pytest.fixture(autouse=True)
def handler_is_restored() -> object:
    before = signal.getsignal(signal.SIGINT)
    yield
    assert signal.getsignal(signal.SIGINT) is before


def interrupt_after(*seconds: float) -> threading.Thread:
    def send() -> None:
        for pause in seconds:
            time.sleep(pause)
            os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=send)
    thread.start()
    return thread


def until(stop: threading.Event, tail: float = 0.0) -> Callable[[], str]:
    def work() -> str:
        assert stop.wait(30)
        time.sleep(tail)
        return "the finished epochs"

    return work


def test_a_result_comes_back_from_another_thread() -> None:
    name = wait_for(lambda: threading.current_thread().name, threading.Event())
    assert name == "hcat-training"


def test_one_interrupt_stops_softly() -> None:
    stop = threading.Event()
    sender = interrupt_after(0.1)
    assert wait_for(until(stop), stop) == "the finished epochs"
    sender.join()


def test_a_double_click_is_one_interrupt() -> None:
    stop = threading.Event()
    sender = interrupt_after(0.1, 0.005)
    assert wait_for(until(stop, tail=0.3), stop) == "the finished epochs"
    sender.join()


def test_a_later_second_one_gives_up() -> None:
    stop, release = threading.Event(), threading.Event()

    def work() -> None:
        release.wait(30)

    sender = interrupt_after(0.1, 1.2)
    with pytest.raises(KeyboardInterrupt):
        wait_for(work, stop)
    release.set()
    sender.join()
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
