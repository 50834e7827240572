"""How architecture tests look at the package from outside."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
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


@pytest.fixture(scope="session")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=repository, check=True, capture_output=True)
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="session")
def new_environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a new environment into which the wheel, and nothing of the checkout, is put.

    What it depends on takes 6 GB and some minutes, so the new environment
    borrows that from the one of the tests, after its own.  With
    ``HCAT_WHOLE_INSTALL=1`` it is empty, and pip installs everything.
    """
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    install = [sys.executable, "-m", "pip", "--python", str(programs / "python"), "install", "-q"]
    whole = os.environ.get("HCAT_WHOLE_INSTALL") == "1"
    if not whole:
        own = sysconfig.get_path("purelib", vars={"base": str(folder)})
        # A .pth of a .pth is not read: the editable checkout stays out.
        (Path(own) / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
        install += ["--no-deps", "--no-index"]
    done = subprocess.run([*install, str(wheel)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return programs
