"""Notebooks are read as JSON: parameters first, no logic, no outputs."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
LINES_IN_A_CELL = 12
LINES_OF_A_CLASS = 36  # what a notebook defines, where that is its subject
CODE_LINES = 45  # "about 40"


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request: pytest.FixtureRequest) -> dict[str, Any]:
    return json.loads(request.param.read_text())


def _code_cells(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def _source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def _without_magics(source: str) -> str:
    """Blank the lines that only IPython reads."""
    return "\n".join("" if "%" in line else line for line in source.splitlines())


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


def test_the_first_code_cell_holds_the_parameters(notebook: dict[str, Any]) -> None:
    first, *rest = _code_cells(notebook)
    assert first["metadata"]["tags"] == ["parameters"]
    assert all(
        isinstance(node, (ast.Assign, ast.AnnAssign)) for node in ast.parse(_source(first)).body
    )
    assert not any("parameters" in cell["metadata"].get("tags", []) for cell in rest)


def test_nothing_is_stored_that_an_execution_makes(notebook: dict[str, Any]) -> None:
    for cell in _code_cells(notebook):
        assert cell["outputs"] == []
        assert cell["execution_count"] is None
    assert "widgets" not in notebook["metadata"]


def test_the_kernel_is_named(notebook: dict[str, Any]) -> None:
    assert notebook["metadata"]["kernelspec"] == {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    }


def test_cells_are_short_and_define_nothing(notebook: dict[str, Any]) -> None:
    n_lines = 0
    for cell in _code_cells(notebook):
        lines = [line for line in _source(cell).splitlines() if line.strip()]
        if "extending" in cell["metadata"].get("tags", []):
            assert len(lines) <= LINES_OF_A_CLASS, _source(cell)
            continue
        assert len(lines) <= LINES_IN_A_CELL, _source(cell)
        n_lines += len(lines)
        nodes = ast.walk(ast.parse(_without_magics(_source(cell))))
        definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
        assert not any(isinstance(node, definitions) for node in nodes), _source(cell)
    assert n_lines <= CODE_LINES


def test_every_cell_has_its_own_stable_id(notebook: dict[str, Any]) -> None:
    # nbstripout numbers the cells; random ids would change with every save
    ids = [cell["id"] for cell in notebook["cells"]]
    assert ids == [str(number) for number in range(len(ids))]
