"""A cache of the tests' own."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session", autouse=True)
def _own_cache(own_cache: None) -> None:
    """Let no test of this folder use another one."""
