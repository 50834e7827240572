from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

import hcat_nb
from hcat_nb.jupyter import latest


def test_the_package_tells_the_newest_run_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latest, "last_run", None)
    assert hcat_nb.last_run is None
    first: Any = SimpleNamespace()
    second: Any = SimpleNamespace()
    assert latest.keep(first) is first
    assert hcat_nb.last_run is first
    latest.keep(second)
    assert hcat_nb.last_run is second
    assert "last_run" in dir(hcat_nb)
