from __future__ import annotations

import threading
from typing import Any

import pytest

from hcat_nb.jupyter import throttle as module
from hcat_nb.jupyter.throttle import Throttle


class Clock:
    """Time that passes when it is told to, with the timers that wait for it."""

    def __init__(self) -> None:
        self.now = 100.0
        self.timers: list[Timer] = []

    def __call__(self) -> float:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += seconds
        for timer in [timer for timer in self.timers if timer.due <= self.now + 1e-9]:
            self.timers.remove(timer)
            timer.function()


class Timer:
    clock: Clock
    daemon = False

    def __init__(self, seconds: float, function: Any) -> None:
        self.due, self.function = self.clock.now + seconds, function

    def start(self) -> None:
        assert self.daemon
        self.clock.timers.append(self)

    def cancel(self) -> None:
        self.clock.timers.remove(self)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    timer = type("BoundTimer", (Timer,), {"clock": made})
    monkeypatch.setattr(module.threading, "Timer", timer)
    return made


def make(clock: Clock, errors: list[Exception] | None = None) -> tuple[Throttle, list[int]]:
    collected: list[Exception] = [] if errors is None else errors
    return Throttle(0.5, collected.append, clock), []


def test_the_first_goes_at_once_then_only_the_newest(clock: Clock) -> None:
    limiter, sent = make(clock)
    for i in range(5):
        limiter.offer(lambda i=i: sent.append(i))
    assert sent == [0]
    clock.forward(0.4)
    assert sent == [0]
    clock.forward(0.1)
    assert sent == [0, 4]
    clock.forward(10)
    assert sent == [0, 4]


def test_the_last_always_goes_and_no_timer_stays(clock: Clock) -> None:
    limiter, sent = make(clock)
    limiter.offer(lambda: sent.append(0))
    limiter.offer(lambda: sent.append(1))
    limiter.finish()
    assert sent == [0, 1]
    assert clock.timers == []
    limiter.finish()
    assert sent == [0, 1]


def test_slow_drawing_lengthens_the_pause(clock: Clock) -> None:
    limiter, sent = make(clock)
    limiter.drawn(2.0)
    limiter.offer(lambda: sent.append(0))
    limiter.offer(lambda: sent.append(1))
    clock.forward(5.9)
    assert sent == [0]
    clock.forward(0.1)
    assert sent == [0, 1]


def test_a_long_run_stays_below_the_rate(clock: Clock) -> None:
    limiter, sent = make(clock)
    for i in range(1000):  # 60 seconds of many batches
        limiter.offer(lambda i=i: sent.append(i))
        clock.forward(0.06)
    limiter.finish()
    assert len(sent) <= 60 / 0.5 + 2
    assert sent[-1] == 999


def test_errors_reach_someone(clock: Clock) -> None:
    errors: list[Exception] = []
    limiter, _ = make(clock, errors)

    def fail() -> None:
        raise RuntimeError("no comm")

    with pytest.raises(RuntimeError, match="no comm"):
        limiter.offer(fail)
    limiter.offer(fail)
    clock.forward(1)
    assert [str(error) for error in errors] == ["no comm"]


def test_many_threads_keep_the_order() -> None:
    sent: list[int] = []
    limiter = Throttle(0.0, [].append)
    lock = threading.Lock()
    number = iter(range(400))

    def work() -> None:
        for _ in range(100):
            with lock:
                i = next(number)
                limiter.offer(lambda i=i: sent.append(i))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    limiter.finish()
    assert sent == sorted(sent)
    assert sent[-1] == 399


def test_it_says_whether_the_next_goes_at_once(clock: Clock) -> None:
    limiter, sent = make(clock)
    assert limiter.ready()
    limiter.offer(lambda: sent.append(0))
    assert not limiter.ready()
    clock.forward(0.5)
    assert limiter.ready()


def test_many_bytes_lengthen_the_pause(clock: Clock) -> None:
    limiter, sent = make(clock)

    def send() -> int:
        sent.append(0)
        return 4_000_000

    limiter.offer(send)
    limiter.offer(send)
    clock.forward(9.9)  # at 400,000 bytes a second
    assert len(sent) == 1
    clock.forward(0.1)
    assert len(sent) == 2


def test_costly_sending_lengthens_the_pause(clock: Clock) -> None:
    limiter, sent = make(clock)

    def send() -> None:
        sent.append(0)
        clock.now += 0.1

    limiter.offer(send)
    limiter.offer(send)
    clock.forward(9.8)  # a hundredth of the time, from the begin
    assert len(sent) == 1
    clock.forward(0.1)
    assert len(sent) == 2


def test_sixty_thousand_batches_in_thirty_seconds(clock: Clock) -> None:
    """Two limiters share the wire: frames of a large map, and lines of text."""
    frames = Throttle(0.5, [].append, clock)
    lines = Throttle(0.4, [].append, clock)
    sent: list[tuple[str, int, int]] = []

    def frame(i: int) -> int:
        sent.append(("frame", i, 200_000))
        return 200_000

    def line(i: int) -> int:
        sent.append(("line", i, 300))
        return 300

    for i in range(60_000):
        lines.offer(lambda i=i: line(i))
        if i % 100 == 0:
            frames.offer(lambda i=i: frame(i))
        clock.forward(30 / 60_000)
    frames.finish()
    lines.finish()
    seconds = 30
    assert len(sent) <= 5 * seconds
    assert sum(size for *_, size in sent) < 500_000 * seconds
    assert [i for kind, i, _ in sent if kind == "line"][-1] == 59_999
    assert [i for kind, i, _ in sent if kind == "frame"][-1] == 59_900


def test_work_takes_its_share_of_the_time_and_no_more(clock: Clock) -> None:
    pace = module.Pace(0.02, free=0.03, clock=clock)

    def work(seconds: float) -> None:
        with pace.spending():
            clock.now += seconds

    assert pace.due()
    work(5.0)  # the first loads what the later ones have
    assert pace.due()
    work(0.03)
    assert pace.due()
    work(0.23)
    clock.forward(9.7)  # 0.2 s / 2 % from the begin
    assert not pace.due()
    clock.forward(0.1)
    assert pace.due()
