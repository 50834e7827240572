"""The benchmark notebook: in step with RunSpec, and mistakes told in its first cell."""

from __future__ import annotations

import ast
import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import papermill
import pytest
import yaml

from hcat_nb.api.run import load_run
from hcat_nb.registry import METHODS
from hcat_nb.spec import RunSpec
from hcat_nb.sweeps.execute import execute_notebook, notebook_parameters

NOTEBOOK = Path(__file__).parents[2] / "notebooks/benchmark.ipynb"
BESIDE = ["run_tag", "out"]
ASKED_FOR = {"dataset", "hardness", "p", "model", "epochs", "data_seed", "model_seed", "methods"}


def _inferred() -> dict[str, Any]:
    return papermill.inspect_notebook(str(NOTEBOOK))


def test_parameters_are_those_of_run_spec() -> None:
    fields = {item.name: item for item in dataclasses.fields(RunSpec)}
    inferred = _inferred()
    assert set(inferred) >= {*ASKED_FOR, "device", "out"}
    assert list(inferred) == notebook_parameters(NOTEBOOK)
    for name in inferred.keys() - set(BESIDE):
        shown, item = inferred[name], fields[name]
        kind = str(item.type).replace(" | None", "").replace("tuple[str, ...]", "list[str]")
        default = list(item.default) if isinstance(item.default, tuple) else item.default
        assert shown["inferred_type_name"] == kind
        assert ast.literal_eval(shown["default"]) == default
        assert shown["help"] == item.metadata["help"]
    assert all(inferred[name]["inferred_type_name"] == "str" for name in BESIDE)


@pytest.mark.slow
def test_papermills_texts_and_other_fields_reach_the_run(tmp_path: Path) -> None:
    # What `-p` makes of a command line: report A32.
    given = {"fix_seed": "false", "hcms": "[aum,el2n]", "subset": "100", "prop": 0.2}
    papermill.execute_notebook(
        str(NOTEBOOK),
        str(tmp_path / "done.ipynb"),
        {**given, "dataset": "wine", "hardness": "uniform", "epochs": 1, "batch_size": 32}
        | {"run_tag": "007", "out": str(tmp_path / "run")},
        progress_bar=False,
        extra_arguments=["--log-level=ERROR"],
    )
    run = load_run(tmp_path / "run")
    assert run.methods == ["aum", "el2n"]
    assert (run.spec.p, run.spec.subset, run.spec.batch_size) == (0.2, 100, 32)
    cells = json.loads((tmp_path / "done.ipynb").read_text())["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    assert "run_tag = '007'" in "".join(outputs[0]["data"]["text/plain"])
    assert [output for output in outputs if "image/png" in output.get("data", {})]
    assert not [output for output in outputs if output.get("name") == "stderr"]
    assert (tmp_path / "done.ipynb").stat().st_size < 200_000


def test_the_example_in_its_text_is_right() -> None:
    text = "".join(json.loads(NOTEBOOK.read_text())["cells"][0]["source"])
    (example,) = re.findall(r'-y "(.+?)"', text)
    ((method, options),) = yaml.safe_load(example)["method_options"].items()
    METHODS.get(method)(**options)


@pytest.mark.parametrize(
    ("given", "words"),
    [({"sead": 3}, "no parameter 'sead'"), ({"run_tag": 7}, "run_tag is 7; expected text")],
)
def test_a_mistake_ends_in_the_first_cell(
    given: dict[str, Any], words: str, tmp_path: Path
) -> None:
    target = tmp_path / "done.ipynb"
    with pytest.raises(papermill.PapermillExecutionError, match=words):
        execute_notebook(NOTEBOOK, target, given, progress=False, checked=True)
    cells = [cell for cell in json.loads(target.read_text())["cells"] if "outputs" in cell]
    assert [cell["execution_count"] for cell in cells[2:]] == [3, None, None, None]
