"""What the notebooks' tests share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def notebooks(repository: Path) -> Path:
    """The folder of notebooks."""
    return repository / "notebooks"
