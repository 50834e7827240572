"""Seconds by part."""

from __future__ import annotations

import pytest

from hcat_nb.observation import clock as module
from hcat_nb.observation.clock import Clock


def test_it_adds_up_under_each_name_and_counts_what_failed(monkeypatch):
    times = iter([0.0, 1.0, 10.0, 12.0, 20.0, 25.0])
    monkeypatch.setattr(module.time, "perf_counter", lambda: next(times))
    clock = Clock()
    with clock("forward"):
        pass
    with clock("dropout"):
        pass
    with pytest.raises(KeyError), clock("forward"):
        raise KeyError
    assert clock.seconds == {"forward": 6.0, "dropout": 2.0}
