from __future__ import annotations

import threading
import warnings
import weakref
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from hcat_nb.errors import DivergedError, SpecError
from hcat_nb.jupyter import latest, training_thread
from hcat_nb.jupyter.training_thread import TrainingThread, alone, aside

LIMIT = 300.0  # seconds until a hanging test is given up


@pytest.fixture(autouse=True)
def own_latest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latest, "last_run", None)


def carried_out(train: Any) -> TrainingThread:
    thread = TrainingThread(train, lambda: None)
    thread.start()
    assert thread.wait(LIMIT)
    return thread


def test_a_stop_ends_it_and_the_run_is_there() -> None:
    begun, told = threading.Event(), threading.Event()
    run: Any = SimpleNamespace()

    def train(control: Any) -> Any:
        begun.set()
        assert control.stop.wait(LIMIT)
        return run

    thread = TrainingThread(train, told.set)
    thread.start()
    assert begun.wait(LIMIT)
    assert not thread.over
    thread.control.stop.set()
    assert thread.wait(LIMIT)
    assert told.wait(LIMIT)
    assert thread.run is run is latest.last_run


def test_gradients_are_on_whatever_the_cells_set() -> None:
    with torch.no_grad():
        thread = carried_out(lambda control: SimpleNamespace(grad=torch.is_grad_enabled()))
    assert thread.run is not None
    assert thread.run.grad  # type: ignore[attr-defined]


def test_an_error_is_kept_without_what_its_frames_held() -> None:
    class Large:
        pass

    held: list[weakref.ref[Large]] = []

    def train(control: Any) -> Any:
        large = Large()
        held.append(weakref.ref(large))
        raise ZeroDivisionError("mine")

    thread = carried_out(train)
    assert isinstance(thread.error, ZeroDivisionError)
    assert thread.error.__traceback__ is not None
    assert held[0]() is None
    assert thread.run is None is latest.last_run


def test_the_epochs_before_a_divergence_are_kept() -> None:
    def train(control: Any) -> Any:
        error = DivergedError(3, float("nan"), None)
        error.run = "the epochs before"
        raise error

    assert carried_out(train).run == "the epochs before"


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    def train(control: Any) -> Any:
        warnings.warn("a listener failed", RuntimeWarning, stacklevel=1)
        return SimpleNamespace()

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        thread = carried_out(train)
    assert thread.warnings == ["a listener failed"]
    assert capfd.readouterr() == ("", "")


def test_what_others_warn_of_is_shown_as_before() -> None:
    shown: list[str] = []
    begun, release = threading.Event(), threading.Event()

    def train(control: Any) -> Any:
        begun.set()
        assert release.wait(LIMIT)
        return SimpleNamespace()

    thread = TrainingThread(train, lambda: None)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = lambda message, *_, **__: shown.append(str(message))
        thread.start()
        assert begun.wait(LIMIT)
        warnings.warn("of a cell", UserWarning, stacklevel=1)
        release.set()
        assert thread.wait(LIMIT)
    assert thread.warnings == []
    assert shown == ["of a cell"]


def test_two_runs_at_a_time_would_disturb_each_other() -> None:
    with alone():
        thread = carried_out(lambda control: SimpleNamespace())
    assert isinstance(thread.error, SpecError)
    assert "another run" in str(thread.error)
    assert carried_out(lambda control: SimpleNamespace()).error is None


def test_while_a_run_is_trained_nothing_else_draws_from_its_streams() -> None:
    with alone(), pytest.raises(SpecError, match="a run is being trained"), aside():
        pytest.fail("it would have disturbed the run")
    with aside():
        pass


class ToldLock:
    """A lock that tells when somebody comes while another has it."""

    def __init__(self) -> None:
        self._lock, self.awaited = threading.Lock(), threading.Event()

    def acquire(self, timeout: float = -1) -> bool:
        if self._lock.locked():
            self.awaited.set()
        return self._lock.acquire(timeout=timeout)

    def release(self) -> None:
        self._lock.release()

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *error: object) -> None:
        self.release()


@pytest.fixture
def drawing(monkeypatch: pytest.MonkeyPatch) -> ToldLock:
    lock = ToldLock()
    monkeypatch.setattr(training_thread, "_drawing", lock)
    return lock


def test_a_training_waits_for_the_end_of_a_preview(drawing: ToldLock) -> None:
    order: list[str] = []
    thread = TrainingThread(lambda control: order.append("run"), lambda: None)  # type: ignore[arg-type,func-returns-value]
    with aside():
        thread.start()
        assert drawing.awaited.wait(LIMIT)
        assert not thread.over
        order.append("preview")
    assert thread.wait(LIMIT)
    assert order == ["preview", "run"]


def test_previews_and_trials_wait_for_each_other(drawing: ToldLock) -> None:
    order: list[str] = []

    def second() -> None:
        with aside():
            order.append("second")

    other = threading.Thread(target=second)
    with aside():
        other.start()
        assert drawing.awaited.wait(LIMIT)
        order.append("first")
    other.join(LIMIT)
    assert order == ["first", "second"]


def test_it_is_a_daemon_so_that_a_restart_does_not_wait() -> None:
    daemons = []
    carried_out(lambda control: daemons.append(threading.current_thread().daemon))
    assert daemons == [True]
