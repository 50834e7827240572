"""What the notebook on extending says is done as it says, in the notebook and in a package."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from hcat_nb.sweeps.execute import execute_notebook

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cells(notebooks: Path) -> list[dict[str, Any]]:
    return json.loads((notebooks / "extending.ipynb").read_text())["cells"]


def _text(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


@pytest.fixture(scope="module")
def outputs(
    notebooks: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[dict[str, Any]]]:
    """Outputs by source, of an execution with two epochs."""
    target = tmp_path_factory.mktemp("extending") / "extending.ipynb"
    execute_notebook(notebooks / "extending.ipynb", target, {"epochs": 2}, progress=False)
    executed = json.loads(target.read_text())["cells"]
    return {_text(cell): cell["outputs"] for cell in executed if "outputs" in cell}


def _output(outputs: dict[str, list[dict[str, Any]]], words: str) -> dict[str, Any]:
    (found,) = [output for source, output in outputs.items() if words in source]
    return found[-1]["data"]


def _plain(data: dict[str, Any]) -> str:
    return "".join(data["text/plain"])


def _auroc(table: dict[str, Any]) -> dict[str, float]:
    rows = re.findall(r"^\d +(\w+) +(?:blend +)?([\d.]+)", _plain(table), re.MULTILINE)
    return {hcm: float(figure) for hcm, figure in rows}


def test_the_method_scores_and_finds_the_hardness_beside_built_ins(
    outputs: dict[str, list[dict[str, Any]]],
) -> None:
    found = _auroc(_output(outputs, "run.evaluate()"))
    assert list(found)[:3] == ["aum", "conf_agree", "doubt"]  # shaky and the baselines follow
    assert found["doubt"] > 0.7  # far from guessing, whose standard error is .02 here


def test_it_ranks_draws_and_is_listed_like_a_built_in(
    outputs: dict[str, list[dict[str, Any]]],
) -> None:
    assert "10 hardest samples by doubt" in _plain(_output(outputs, "run.hardest"))
    chart = _output(outputs, "run.data_map")
    assert any("vega" in mime for mime in chart)
    assert '"title": "doubt"' in json.dumps(chart)
    assert "Mean entropy" in _plain(_output(outputs, "%hcat_methods doubt"))


def test_options_reach_both_classes(outputs: dict[str, list[dict[str, Any]]]) -> None:
    # A smaller share of the other image is harder to find; an option that does not exist raises.
    strong, weak = (_auroc(_output(outputs, f"{name}.evaluate()")) for name in ("run", "weaker"))
    assert list(weak)[:2] == ["aum", "doubt"]
    assert weak["aum"] < strong["aum"]


def test_no_cell_writes_to_stderr(outputs: dict[str, list[dict[str, Any]]]) -> None:
    streams = [one for output in outputs.values() for one in output if one.get("name") == "stderr"]
    assert not streams


@pytest.fixture(scope="module")
def site(cells: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the package lies as pip would install it."""
    folder = tmp_path_factory.mktemp("site")
    code = "\n".join(
        _text(cell) for cell in cells if "extending" in cell["metadata"].get("tags", [])
    )
    assert code.count("@hcat.register\n") == 3
    (folder / "hcat_doubt.py").write_text(code.replace("@hcat.register\n", ""))
    (toml,) = [
        block for cell in cells for block in re.findall(r"```toml\n(.*?)```", _text(cell), re.S)
    ]
    project = tomllib.loads(toml)["project"]
    lines = []
    for group, points in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in points.items())]
    info = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Name: {project['name']}\nVersion: {project['version']}\n")
    (info / "entry_points.txt").write_text("\n".join(lines))
    return folder


def _hcat(site: Path, repository: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "hcat_nb", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=repository,
        env={**os.environ, "PYTHONPATH": str(site), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_package_that_announces_them_is_found_by_the_command_line(
    site: Path, repository: Path, cells: list[dict[str, Any]]
) -> None:
    assert re.search(r"^doubt +Mean entropy +one pass", _hcat(site, repository, "methods"), re.M)
    (line,) = [
        found
        for cell in cells
        for found in re.findall(r"^hcat (run .*blend.*)$", _text(cell), re.M)
    ]
    printed = _hcat(site, repository, *line.split(), "--subset", "200", "--epochs", "1")
    assert "200 samples, blend p=0.1" in printed
    assert re.search(r"^ *doubt +20 +0\.1000", printed, re.M)
