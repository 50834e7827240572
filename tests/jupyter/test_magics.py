from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest
import torch
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from torch import nn

import hcat_nb
from hcat_nb.runs.characterize import characterize
from hcat_nb.runs.listing import listing
from hcat_nb.runs.store import load_run

SMALL = "--epochs 2 --methods aum el2n --seed 0"


def run_cell(shell: InteractiveShell, code: str) -> Any:
    result = shell.run_cell(code)
    result.raise_error()
    return result.result


def small_frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(200, 4)), columns=list("abcd"))
    return table.assign(kind=np.where(table.a > 0, "oak", "elm"))


def test_a_line_returns_what_the_plain_call_returns(shell: InteractiveShell) -> None:
    run_cell(shell, f"run = %hcat_train digits --hardness uniform --p 0.1 {SMALL}")
    run = shell.user_ns["run"]
    plain = characterize(
        "digits", hardness="uniform", p=0.1, epochs=2, methods=["aum", "el2n"], seed=0
    )
    pd.testing.assert_frame_equal(run.scores, plain.scores)  # same seed, same bits
    pd.testing.assert_frame_equal(run.truth, plain.truth)
    assert hcat_nb.last_run is run


def test_a_frame_and_a_model_of_ones_own(shell: InteractiveShell) -> None:
    shell.user_ns |= {"trees": small_frame(), "net": nn.Linear(4, 2)}
    before = {name: value.clone() for name, value in shell.user_ns["net"].state_dict().items()}
    run_cell(shell, f"run = %hcat_train trees --target kind --model net {SMALL}")
    assert len(shell.user_ns["run"].scores) == 200
    after = shell.user_ns["net"].state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    run_cell(
        shell,
        "from torch import nn\n"
        "def make():\n    return nn.Linear(4, 2)\n"
        f"pair = (trees[list('abcd')].to_numpy(), trees.kind)\n"
        f"again = %hcat_train pair --model make {SMALL}",
    )
    assert len(shell.user_ns["again"].scores) == 200


def test_a_local_variable_of_a_function(shell: InteractiveShell) -> None:
    shell.user_ns["make"] = small_frame
    code = (
        "def study():\n"
        "    trees = make()\n"
        f"    return get_ipython().run_line_magic('hcat_train', 'trees --target kind {SMALL}')\n"
        "run = study()"
    )
    run_cell(shell, code)
    assert len(shell.user_ns["run"].scores) == 200


def test_a_cell_of_yaml_names_and_saves_its_run(shell: InteractiveShell, tmp_path: Any) -> None:
    cell = "%%hcat_train wine --name run\nepochs: 2\nmethods: [aum]\n" + f"out: {tmp_path / 'r'}\n"
    assert run_cell(shell, cell) is None
    run = shell.user_ns["run"]
    pd.testing.assert_frame_equal(load_run(tmp_path / "r").scores, run.scores)
    shown = run_cell(shell, "%%hcat_train wine\nepochs: 1\nmethods: aum\n")
    assert len(shown.scores) == 178


def test_help_is_printed_and_nothing_runs(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    run_cell(shell, "answer = %hcat_train digits -h")
    assert shell.user_ns["answer"] is None
    assert "--hardness" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("digitz", "nearest: digits"),
        ("digits --epochs 0", "epochs is"),
        ("trees --target kinds", "kinds"),
    ],
)
def test_mistakes_are_one_line_without_a_traceback(
    shell: InteractiveShell, line: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.user_ns["trees"] = small_frame()
    result = shell.run_cell(f"%hcat_train {line}")
    assert isinstance(result.error_in_exec, UsageError)
    assert result.error_in_exec.__context__ is None
    printed = capsys.readouterr().err.strip()
    assert words in printed
    assert len(printed.splitlines()) == 1


@pytest.mark.parametrize("kind", ["methods", "hardness", "datasets", "models"])
def test_what_there_is_by_name_is_listed(shell: InteractiveShell, kind: str) -> None:
    found = run_cell(shell, f"%hcat_{kind}")
    assert repr(found) == repr(listing(kind))
    name = found.frame.index[0]
    assert repr(run_cell(shell, f"%hcat_{kind} {name}")) == repr(listing(kind, [name]))
    assert run_cell(shell, f"%hcat_{kind} -v").whole


def test_a_list_of_what_there_is_not_is_one_line(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    assert isinstance(shell.run_cell("%hcat_methods el2m").error_in_exec, UsageError)
    printed = capsys.readouterr().err.strip()
    assert "nearest: el2n" in printed
    assert len(printed.splitlines()) == 1


def test_defects_keep_their_traceback(shell: InteractiveShell) -> None:
    class Broken(nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if self.training:
                raise ZeroDivisionError("in my own model")
            return super().forward(x)

    shell.user_ns |= {"trees": small_frame(), "net": Broken(4, 2)}
    error = shell.run_cell(f"%hcat_train trees --target kind --model net {SMALL}").error_in_exec
    assert isinstance(error, ZeroDivisionError)
    frames = []
    step = error.__traceback__
    while step is not None:
        frames.append(step.tb_frame.f_code.co_name)
        step = step.tb_next
    assert frames[-1] == "forward"


def test_running_a_cell_again_keeps_nothing_of_failed_runs(
    shell: InteractiveShell, live_tensor_bytes: Callable[[], int]
) -> None:
    class Fragile(nn.Linear):
        fail = False

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if self.training and Fragile.fail:
                raise RuntimeError("no memory")
            return super().forward(x)

    shell.user_ns |= {"trees": small_frame(), "make": lambda: Fragile(4, 2)}
    line = f"run = %hcat_train trees --target kind --model make {SMALL}"
    sizes = []
    for attempt in range(1, 6):
        Fragile.fail = attempt in (2, 4)
        result = shell.run_cell(line)
        assert (result.error_in_exec is not None) is Fragile.fail
        del result
        sizes.append(live_tensor_bytes())
    assert sizes[4] <= 1.1 * sizes[0]
    assert "hcat-training" not in [thread.name for thread in threading.enumerate()]


def execute(*cells: str) -> nbformat.NotebookNode:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    NotebookClient(notebook, timeout=300).execute()
    return notebook


def test_a_headless_notebook_holds_one_picture_and_no_widget() -> None:
    train = f"run = %hcat_train digits --hardness uniform --p 0.1 {SMALL}"
    notebook = execute("%load_ext hcat_nb", train, "len(run.scores)")
    (output,) = notebook.cells[1].outputs
    assert output.output_type == "display_data"
    assert set(output.data) == {"image/png", "text/html", "text/plain"}
    assert "1,797 samples, finished after epoch 2/2" in output.data["text/plain"]
    assert "widgets" not in notebook.metadata
    assert len(nbformat.writes(notebook)) < 300_000
    assert notebook.cells[2].outputs[0].data["text/plain"] == "1797"


def test_a_mistake_fails_a_headless_notebook() -> None:
    with pytest.raises(CellExecutionError):
        execute("%load_ext hcat_nb", "%hcat_train digitz")


def test_a_file_is_named_by_its_path(shell: InteractiveShell, tmp_path: Path) -> None:
    small_frame().to_csv(tmp_path / "trees.csv", index=False)
    run_cell(shell, f"run = %hcat_train {tmp_path}/trees.csv --target kind {SMALL}")
    assert shell.user_ns["run"].info["dataset"]["name"] == "trees"


def test_a_dry_run_gives_a_forecast_and_trains_nothing(
    shell: InteractiveShell, tmp_path: Path
) -> None:
    shell.run_cell(
        f"f = %hcat_train wine --epochs 2 --methods aum el2n --out {tmp_path}/x --dry-run"
    )
    assert list(shell.user_ns["f"].table.index) == ["aum", "el2n"]
    assert not (tmp_path / "x").exists()
