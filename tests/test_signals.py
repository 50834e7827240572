"""Ctrl-C: the first asks, a later one does more, and afterwards all is as before."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from hcat_nb.signals import interrupts


@pytest.fixture(autouse=True)
def _as_started_by_a_person() -> Iterator[None]:
    """A process that a shell starts in the background ignores the signal."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def press() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_the_first_asks_and_a_later_one_does_more() -> None:
    soon, said = threading.Event(), []
    with interrupts(soon, lambda: said.append("again")):
        press()
        assert soon.is_set()
        assert not said
        press()
        assert said == ["again"]


def test_without_more_to_do_the_second_is_what_it_was_before() -> None:
    soon = threading.Event()
    with interrupts(soon):
        press()
        assert soon.is_set()
        with pytest.raises(KeyboardInterrupt):
            press()


def test_a_double_click_is_one() -> None:
    soon, said = threading.Event(), []
    with interrupts(soon, lambda: said.append("again"), apart=3600.0):
        press()
        press()
    assert not said


def test_afterwards_the_handler_is_the_one_of_before() -> None:
    before = signal.getsignal(signal.SIGINT)
    with interrupts(threading.Event()):
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


def test_in_another_thread_nothing_changes() -> None:
    before, seen = signal.getsignal(signal.SIGINT), []

    def look() -> None:
        with interrupts(threading.Event()):
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [before]
