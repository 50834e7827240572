"""The tutorial, executed with small parameters: what stands in its outputs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from hcat_nb.sweeps.execute import execute_notebook, export_html

pytestmark = pytest.mark.slow

TUTORIAL = Path(__file__).parents[2] / "notebooks/tutorial.ipynb"


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tutorial with two epochs; papermill raises where a cell fails, a UsageError included."""
    target = tmp_path_factory.mktemp("tutorial") / "tutorial.ipynb"
    execute_notebook(TUTORIAL, target, {"epochs": 2}, progress=False)
    return target


def _outputs(executed: Path) -> list[dict[str, Any]]:
    cells = json.loads(executed.read_text())["cells"]
    return [output for cell in cells for output in cell.get("outputs", [])]


def test_no_cell_writes_to_stderr_or_leaves_a_widget(executed: Path) -> None:
    outputs = _outputs(executed)
    assert outputs
    assert not [output for output in outputs if output.get("name") == "stderr"]
    views = [output for output in outputs if "widget-view" in json.dumps(output.get("data", {}))]
    assert not views
    assert "widgets" not in json.loads(executed.read_text())["metadata"]


def test_the_training_leaves_a_static_picture_of_its_map(executed: Path) -> None:
    cells = json.loads(executed.read_text())["cells"]
    (training,) = [cell for cell in cells if "%hcat_train {dataset}" in "".join(cell["source"])]
    assert [output for output in training["outputs"] if "image/png" in output.get("data", {})]


def test_the_plain_calls_give_the_same_numbers_and_the_run_loads_back_equal(executed: Path) -> None:
    cells = [cell for cell in json.loads(executed.read_text())["cells"] if "outputs" in cell]
    *_, again, loaded = cells
    differences = again["outputs"][-1]["data"]["text/plain"]
    values = re.findall(r"^\w+ +(\S+)$", "".join(differences), re.MULTILINE)
    assert len(values) > 1
    assert {float(value) for value in values} == {0.0}
    assert loaded["outputs"][-1]["data"]["text/plain"] == ["True"]


def test_the_file_stays_small(executed: Path) -> None:
    assert executed.stat().st_size < 1_000_000


def test_its_page_asks_the_internet_for_nothing(executed: Path) -> None:
    page = export_html(executed).read_text()
    assert "data:image/png;base64" in page
    fetched = re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=\"(https?://[^\"]+)", page)
    assert not fetched
