"""How architecture tests look at the package from outside."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def project_files(repository: Path) -> list[Path]:
    """The files of the project: tracked ones and new ones that git does not ignore."""
    done = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=repository,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        pytest.skip("needs a git checkout, to know which files belong to the project")
    paths = [repository / name for name in done.stdout.split("\0") if name]
    return [path for path in paths if path.is_file()]
