"""The notebook on own data, executed with few epochs: decided, mended, found again."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from hcat_nb.sweeps.execute import execute_notebook

pytestmark = pytest.mark.slow

SLIPS = 25


@pytest.fixture(scope="module")
def outputs(
    notebooks: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[dict[str, Any]]]:
    """Outputs by source; papermill raises where a cell fails, a UsageError included."""
    folder = tmp_path_factory.mktemp("own_data")
    target = folder / "own_data.ipynb"
    parameters = {"epochs": 5, "slips": SLIPS, "out": str(folder / "run")}
    execute_notebook(notebooks / "own_data.ipynb", target, parameters, progress=False)
    cells = json.loads(target.read_text())["cells"]
    assert (folder / "run.csv").is_file()
    assert (folder / "run.decisions.json").is_file()
    return {"".join(cell["source"]): cell["outputs"] for cell in cells if "outputs" in cell}


def _of(outputs: dict[str, list[dict[str, Any]]], words: str) -> list[dict[str, Any]]:
    (found,) = [output for source, output in outputs.items() if words in source]
    return found


def _plain(outputs: dict[str, list[dict[str, Any]]], words: str) -> str:
    return "".join(_of(outputs, words)[-1]["data"]["text/plain"])


def test_no_cell_writes_to_stderr_or_leaves_a_widget(
    outputs: dict[str, list[dict[str, Any]]],
) -> None:
    everything = [one for output in outputs.values() for one in output]
    assert not [one for one in everything if one.get("name") == "stderr"]
    assert "widget-view" not in json.dumps(everything)


@pytest.mark.parametrize("words", ["%hcat_train frame", "\nlater.explore", "%hcat_train mended"])
def test_what_needs_a_hand_leaves_a_picture(
    outputs: dict[str, list[dict[str, Any]]], words: str
) -> None:
    assert [one for one in _of(outputs, words) if "image/png" in one.get("data", {})]


def test_decisions_are_mended_and_are_there_tomorrow(
    outputs: dict[str, list[dict[str, Any]]],
) -> None:
    n_decided = int(re.match(r"<(\d+) decisions", _plain(outputs, "export(")).group(1))
    assert 0 < n_decided <= SLIPS
    assert f"{n_decided} relabelled" in _plain(outputs, "mended = run.apply()")
    assert _plain(outputs, "later.apply()") == "True"


def test_most_of_what_was_changed_had_been_turned_round(
    outputs: dict[str, list[dict[str, Any]]],
) -> None:
    (told,) = _of(outputs, "found.sum()")
    found, others = re.match(r"(\d+) of .* and (\d+) other", "".join(told["text"])).groups()
    # Rows drawn at random would be right in 25 of 569 cases.
    assert int(found) > int(others)
