"""The wheel, installed alone, holds all that the package needs, and the sdist nothing else."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds what the wheel installs: a pure wheel is installed by unpacking it."""
    assert wheel.name.endswith("-py3-none-any.whl")
    folder = tmp_path_factory.mktemp("site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def test_the_wheel_finds_every_asset_of_the_checkout(
    repository: Path, installed: Path, fresh_python: Callable[..., str]
) -> None:
    front_end = repository / "widgets/src"
    sources = [path for path in front_end.rglob("*") if path.is_file()]
    stems = ("tutorial", "benchmark", "takeaways", "analysis_plots", "stability_plot")
    sources += [repository / f"notebooks/{stem}.ipynb" for stem in stems]
    sources += [repository / f"hcat_nb/methods/detector.{kind}" for kind in ("safetensors", "md")]
    code = (
        "from hcat_nb.assets import asset\n"
        f"for name in {[_asset_name(path, front_end) for path in sources]}:\n"
        "    print(asset(name))"
    )
    found = [Path(line) for line in fresh_python(code, PYTHONPATH=str(installed)).splitlines()]
    assert len(found) == len(sources)
    for path, source in zip(found, sources, strict=True):
        assert path.is_relative_to(installed)
        assert path.read_bytes() == source.read_bytes()


def _asset_name(path: Path, front_end: Path) -> str:
    return path.relative_to(front_end).as_posix() if front_end in path.parents else path.name


def test_the_wheel_holds_the_package_and_its_front_end_only(installed: Path) -> None:
    top = {path.name.partition("-")[0] for path in installed.iterdir()}
    assert top == {"hcat_nb"}
    assert (installed / "hcat_nb/py.typed").is_file()
    assert (installed / "hcat_nb/__init__.pyi").is_file()
    assert list(installed.glob("hcat_nb-*.dist-info/licenses/LICENSE"))
    assert not list(installed.rglob("test_*"))


def test_the_wheel_works_alone(installed: Path, fresh_python: Callable[..., str]) -> None:
    code = "import hcat_nb; print(hcat_nb.__file__); print(hcat_nb.list_methods().index.size)"
    where, n_methods = fresh_python(code, PYTHONPATH=str(installed)).splitlines()
    assert Path(where).is_relative_to(installed)
    assert int(n_methods) > 0


def test_the_sdist_holds_files_of_the_project_only(
    repository: Path, project_files: list[Path], tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path)]
    subprocess.run(command, cwd=repository, check=True, capture_output=True)
    (sdist,) = tmp_path.iterdir()
    with tarfile.open(sdist) as archive:
        packed = {member.name.partition("/")[2] for member in archive if member.isfile()}
    own = {path.relative_to(repository).as_posix() for path in project_files}
    assert packed - own <= {"PKG-INFO"}
    assert {"pyproject.toml", "LICENSE", "README.md", "SECURITY.md", "CITATION.cff"} <= packed
    assert "widgets/src/live_map.js" in packed


def test_an_installed_wheel_does_its_work(new_environment: Path, tmp_path: Path) -> None:
    def said(program: str, *words: str) -> str:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        done = subprocess.run(
            [str(new_environment / program), *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            env={**environment, "OMP_NUM_THREADS": "1"},
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    where = said("python", "-c", "import hcat_nb; print(hcat_nb.__file__)")
    assert Path(where.strip()).is_relative_to(new_environment.parent)
    assert re.fullmatch(r"hcat_nb \d+\.\d+\.\d+\n", said("hcat", "--version"))
    findings = json.loads(said("hcat", "doctor", "--json"))
    assert {one["what"] for one in findings} >= {"Python", "charts", "front end", "memory"}
    assert not [one for one in findings if one["state"] == "wrong"]
    run = ["run", "wine", "--epochs", "1", "--methods", "el2n", "--out", "first", "--json"]
    assert json.loads(said("hcat", *run))["outcome"] == "finished"
    assert (tmp_path / "first" / "run.json").is_file()
