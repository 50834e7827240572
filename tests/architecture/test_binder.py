"""Binder installs what pyproject.toml says and opens the tutorial."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version


def _floors(requirements: list[str]) -> dict[str, str]:
    """Map each name to its lowest version."""
    found = [re.fullmatch(r"([\w.-]+?)>=([\d.]+)", text) for text in requirements]
    return {match[1]: match[2] for match in found if match}


def test_its_environment_repeats_no_other_range(repository: Path) -> None:
    lines = (repository / "binder/environment.yml").read_text().splitlines()
    conda = _floors([line.strip(" -") for line in lines])
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    own = _floors(project["dependencies"])
    assert conda == {"pytorch-cpu": own["torch"], "torchvision": own["torchvision"]}


def test_its_lock_names_all_that_is_needed_by_digest(repository: Path) -> None:
    text = (repository / "binder/requirements.lock").read_text()
    assert "://" not in text  # the address of a registry
    entries = re.split(r"\n(?=[\w])", re.sub(r"(?m)^#.*\n", "", text).strip())
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", entry) for entry in entries)
    pinned = dict(entry.split(" ", 1)[0].split("==") for entry in entries)
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    build = tomllib.loads((repository / "pyproject.toml").read_text())["build-system"]["requires"]
    for name, floor in _floors([*project["dependencies"], *build]).items():
        if name not in ("torch", "torchvision"):  # conda's
            assert Version(pinned[canonicalize_name(name)]) >= Version(floor), name


def test_it_starts_the_tutorial(repository: Path) -> None:
    command = [str(repository / "binder/start"), "echo", "jupyter", "lab"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.startswith("jupyter lab ")
    (page,) = re.findall(r"--LabApp\.default_url=/lab/tree/(\S+)", said)
    assert (repository / page).is_file()


@pytest.mark.parametrize("script", ["binder/postBuild", "binder/start", ".ci/run"])
def test_scripts_can_be_executed(script: str, repository: Path) -> None:
    assert os.access(repository / script, os.X_OK)
