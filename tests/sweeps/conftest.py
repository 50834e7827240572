"""What the tests of sweeps share: tiny runs, and a kernel environment that is the tests' own."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from hcat_nb.sweeps._version import code_version

# Two epochs on 178 rows: a second, most of it the kernel and the picture.
TINY: dict[str, Any] = {
    "dataset": "wine",
    "hardness": "uniform",
    "model": "mlp",
    "epochs": 1,
    "methods": ["el2n"],
}


@pytest.fixture
def tiny() -> dict[str, Any]:
    """Parameters of a run that is over at once."""
    return dict(TINY)


@pytest.fixture
def request_of(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """A function that returns what a worker is asked to do."""

    def make(parameters: dict[str, Any], address: str = "a", **more: Any) -> dict[str, Any]:
        return {
            "out": str(tmp_path),
            "address": address,
            "parameters": parameters,
            "version": code_version(),
            "time_limit": None,
            "memory_limit": None,
            **more,
        }

    return make


@pytest.fixture
def descendants() -> Callable[[], list[psutil.Process]]:
    """A function that returns the living processes that work on this test's sweep."""

    def living() -> list[psutil.Process]:
        found = psutil.Process(os.getpid()).children(recursive=True)
        return [one for one in found if one.status() != psutil.STATUS_ZOMBIE]

    return living
