"""Control from another thread."""

from __future__ import annotations

import threading

from hcat_nb.training.events import Control


def test_a_paused_loop_waits_until_it_is_resumed():
    control = Control()
    control.resume.clear()
    passed = threading.Event()

    def wait() -> None:
        control.wait_while_paused(poll=0.01)
        passed.set()

    waiter = threading.Thread(target=wait, daemon=True)
    waiter.start()
    assert not passed.wait(0.1)
    control.resume.set()
    assert passed.wait(300)


def test_a_stop_ends_a_pause():
    control = Control()
    control.resume.clear()
    control.stop.set()
    control.wait_while_paused()  # returns
