from __future__ import annotations

import threading
import time

from hcat_nb.magics.newest import Newest

LIMIT = 300.0  # seconds until a hanging test is given up


def test_of_waiting_jobs_only_the_newest_is_done() -> None:
    results: list[int] = []
    begun: list[int] = []
    release, first_runs = threading.Event(), threading.Event()
    worker: Newest[int] = Newest(results.append, lambda error: None)

    def job(number: int) -> int:
        begun.append(number)
        first_runs.set()
        assert release.wait(LIMIT)
        return number

    worker.offer(lambda: job(1))
    assert first_runs.wait(LIMIT)
    for number in (2, 3, 4):
        worker.offer(lambda number=number: job(number))
    release.set()
    assert worker.join(LIMIT)
    assert begun == [1, 4]
    assert results == [4]  # a newer job was offered before the first ended


def test_what_a_job_raises_is_handed_on_and_the_next_one_is_done() -> None:
    results: list[int] = []
    errors: list[Exception] = []
    worker: Newest[int] = Newest(results.append, errors.append)
    worker.offer(lambda: 1 // 0)
    assert worker.join(LIMIT)
    worker.offer(lambda: 7)
    assert worker.join(LIMIT)
    assert [type(error) for error in errors] == [ZeroDivisionError]
    assert results == [7]


def test_what_showing_a_result_raises_is_handed_on_too() -> None:
    errors: list[Exception] = []

    def show(result: int) -> None:
        raise ZeroDivisionError(result)

    worker: Newest[int] = Newest(show, errors.append)
    for number in (1, 2):
        worker.offer(lambda number=number: number)
        assert worker.join(LIMIT)
    assert [error.args for error in errors] == [(1,), (2,)]


def test_a_burst_is_one_job() -> None:
    begun: list[int] = []
    worker: Newest[None] = Newest(lambda _: None, lambda error: None, wait=1000)
    for number in range(5):
        worker.offer(lambda number=number: begun.append(number))
    assert begun == []
    worker._wait = 0.01  # of what waits from now on
    worker.offer(lambda: begun.append(5))
    assert worker.join(LIMIT)
    assert begun == [5]


def test_a_dropped_job_gives_nothing() -> None:
    results: list[int] = []
    runs, release = threading.Event(), threading.Event()
    worker: Newest[int] = Newest(results.append, lambda error: None)

    def job() -> int:
        runs.set()
        assert release.wait(LIMIT)
        return 1

    worker.offer(job)
    assert runs.wait(LIMIT)
    worker.drop()
    release.set()
    assert worker.join(LIMIT)
    assert results == []


def test_no_thread_is_left() -> None:
    worker: Newest[int] = Newest(lambda _: None, lambda error: None)
    worker.offer(lambda: 1)
    assert worker.join(LIMIT)
    end = time.monotonic() + LIMIT
    while any(thread.name == "hcat-newest" for thread in threading.enumerate()):
        assert time.monotonic() < end
        time.sleep(0.01)
