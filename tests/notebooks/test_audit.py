"""The audit notebook: executed as it stands, it finds what was turned round and stops in time."""

from __future__ import annotations

import json
import re
from pathlib import Path

import papermill
import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def printed(notebooks: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("audit")
    made = folder / "audit.ipynb"
    papermill.execute_notebook(
        notebooks / "audit.ipynb", made, {"out": str(folder / "kept")}, progress_bar=False
    )
    cells = json.loads(made.read_text())["cells"]
    outputs = [one for cell in cells for one in cell.get("outputs", [])]
    assert not [one for one in outputs if one.get("name") == "stderr"]
    return "".join(
        "".join(one.get("text", one.get("data", {}).get("text/plain", ""))) for one in outputs
    )


def test_it_finds_most_within_the_looks(printed: str) -> None:
    found, looked = map(int, re.findall(r"(\d+) of 25 turned labels.*the (\d+) rev", printed)[0])
    assert found >= 20
    assert looked <= 200


def test_it_told_no_count_before_the_first_look_and_one_afterwards(printed: str) -> None:
    assert printed.index("is not known before you look") < printed.index("more remain")
    assert "you may stop" in printed


def test_decisions_are_there_tomorrow(printed: str) -> None:
    (again,) = re.findall(r"^(\d+) reviewed$", printed, re.MULTILINE)
    assert f"among the {again} reviewed" in printed
