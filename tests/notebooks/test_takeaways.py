"""The takeaways: hypotheses first, then figures; thresholds are parameters."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from hcat_nb.study.hypotheses import THRESHOLDS
from hcat_nb.sweeps.execute import execute_notebook


@pytest.fixture(scope="module")
def cells(notebooks: Path) -> list[dict[str, Any]]:
    return json.loads((notebooks / "takeaways.ipynb").read_text())["cells"]


def test_every_hypothesis_and_threshold_is_written_down_before_any_code(
    cells: list[dict[str, Any]],
) -> None:
    first = next(place for place, cell in enumerate(cells) if cell["cell_type"] == "code")
    text = "".join("".join(cell["source"]) for cell in cells[:first])
    stated = dict(re.findall(r"\*\*(H\d)\*\*(.*)", text))
    assert [name.lower() for name in stated] == list(THRESHOLDS)
    for name, words in stated.items():
        assert all(f"`{one}`" in words for one in THRESHOLDS[name.lower()])


def _plain(cells: list[dict[str, Any]], words: str) -> str:
    (found,) = [cell for cell in cells if f"{words}(\n" in "".join(cell["source"])]
    return "".join(found["outputs"][-1]["data"]["text/html"])


@pytest.mark.slow
def test_it_is_executed_with_thresholds_of_ones_own(notebooks: Path, tmp_path: Path) -> None:
    target = tmp_path / "takeaways.ipynb"
    given = {"study": str(notebooks / "small_study"), "h2": {"chance": 1.0, "good": 0.0}}
    execute_notebook(notebooks / "takeaways.ipynb", target, given, progress=False)
    executed = json.loads(target.read_text())["cells"]
    outputs = [output for cell in executed for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output.get("name") == "stderr"]
    rows = re.findall(r"<tr>(.*?)</tr>", _plain(executed, "check_hypotheses"), re.S)
    (h2,) = [row for row in rows if "<td>H2</td>" in row]
    assert "H-CAT's 1 or less" in h2
    assert "<td>holds</td>" in h2  # as every figure would
    found = _plain(executed, "paper_findings")
    verdicts = re.findall(r"<td>(yes|no|n/a)</td>", found)
    assert len(verdicts) == found.count("<tr>") == 7
    assert target.stat().st_size < 1_000_000
