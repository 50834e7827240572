"""What the tests of sweeps share: tiny runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hcat_nb.sweeps._version import code_version

# An epoch on 178 rows: a second or two, most of it the kernel and the picture.
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
