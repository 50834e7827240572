"""The notebook on a training of one's own, executed with few epochs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hcat_nb.sweeps.execute import execute_notebook

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def outputs(
    notebooks: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[dict[str, Any]]]:
    """Outputs by source; papermill raises where a cell fails."""
    target = tmp_path_factory.mktemp("own_training") / "own_training.ipynb"
    parameters = {"epochs": 7, "patience": 2}
    execute_notebook(notebooks / "own_training.ipynb", target, parameters, progress=False)
    cells = json.loads(target.read_text())["cells"]
    return {"".join(cell["source"]): cell["outputs"] for cell in cells if "outputs" in cell}


def _of(outputs: dict[str, list[dict[str, Any]]], words: str) -> list[dict[str, Any]]:
    (found,) = [output for source, output in outputs.items() if words in source]
    return found


def test_nothing_is_written_to_stderr(outputs: dict[str, list[dict[str, Any]]]) -> None:
    everything = [one for output in outputs.values() for one in output]
    assert not [one for one in everything if one.get("name") == "stderr"]


def test_the_live_map_leaves_a_picture(outputs: dict[str, list[dict[str, Any]]]) -> None:
    assert [one for one in _of(outputs, "hcat.watch(") if "image/png" in one.get("data", {})]


def test_the_run_is_of_five_epochs_and_finds_what_was_turned(
    outputs: dict[str, list[dict[str, Any]]],
) -> None:
    (shown,) = _of(outputs, "run = watch.run()")
    text = "".join(shown["data"]["text/plain"])
    assert "truth given; own training, Sequential, 5 epochs, stopped; 13 methods" in text
    notes, table = _of(outputs, "run.evaluate()")
    assert "5 of 7 planned epochs" in "".join(notes["text"])
    rows = "".join(table["data"]["text/plain"]).splitlines()
    auroc = {row.split()[0]: float(row.split()[1]) for row in rows if len(row.split()) == 4}
    assert auroc["datamaps"] > 0.95
    assert auroc["aum"] > 0.95
