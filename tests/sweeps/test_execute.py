from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest

from hcat_nb.errors import DataError, UnknownNameError
from hcat_nb.sweeps.execute import execute_notebook, export_html, notebook_parameters


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    cells = [
        nbformat.v4.new_markdown_cell("# Sums"),
        nbformat.v4.new_code_cell("a = 1\nb = 2  # added to a", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell("total = a + b\ntotal"),
    ]
    kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path = tmp_path / "sums.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernelspec}), path)
    return path


def test_parameters_are_read_off_the_tagged_cell(notebook: Path) -> None:
    assert notebook_parameters(notebook) == ["a", "b"]


def test_typed_parameters_are_read_too(notebook: Path) -> None:
    text = notebook.read_text().replace("a = 1", "a: int = 1")
    notebook.write_text(text)
    assert notebook_parameters(notebook) == ["a", "b"]


@pytest.mark.slow
def test_names_that_were_checked_may_be_more(notebook: Path, tmp_path: Path) -> None:
    target = tmp_path / "done.ipynb"
    execute_notebook(notebook, target, {"c": 5}, progress=False, checked=True)
    assert "c = 5" in target.read_text()


def test_a_notebook_without_the_tag_is_refused(notebook: Path, tmp_path: Path) -> None:
    nbformat.write(nbformat.v4.new_notebook(), notebook)
    with pytest.raises(DataError, match="tag `parameters`"):
        execute_notebook(notebook, tmp_path / "done.ipynb", {"a": 5}, progress=False)


def test_a_misspelt_parameter_is_refused_before_a_kernel_starts(
    notebook: Path, tmp_path: Path
) -> None:
    target = tmp_path / "done.ipynb"
    with pytest.raises(UnknownNameError, match=r"no parameter 'aa'.*one of a, b"):
        execute_notebook(notebook, target, {"aa": 5}, progress=False)
    assert not target.exists()


@pytest.mark.slow
def test_the_given_value_replaces_the_default_and_the_page_stands_alone(
    notebook: Path, tmp_path: Path
) -> None:
    target = tmp_path / "new folder" / "done.ipynb"
    execute_notebook(notebook, target, {"a": 40}, progress=False)
    outputs = json.loads(target.read_text())["cells"][-1]["outputs"]
    assert outputs[0]["data"]["text/plain"] == ["42"]

    page = export_html(target)
    assert page == target.with_suffix(".html")
    text = page.read_text()
    assert "42" in text
    for sign in ("require.js", "require.min.js", "MathJax.js", "jquery.min.js", "unpkg"):
        assert sign not in text
