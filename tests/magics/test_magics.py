from __future__ import annotations

import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import altair as alt
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
from hcat_nb.api.characterize import characterize
from hcat_nb.api.listing import listing
from hcat_nb.api.run import load_run
from hcat_nb.commands.table import MAGICS
from hcat_nb.jupyter.listener import LiveListener
from hcat_nb.training.events import Control, EpochEvent, Listener

SMALL = "--epochs 2 --methods aum el2n --seed 0"


def run_cell(shell: InteractiveShell, code: str) -> Any:
    (result := shell.run_cell(code)).raise_error()
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


@pytest.mark.parametrize("name", MAGICS)
def test_every_magic_answers_h_and_has_a_docstring(
    shell: InteractiveShell, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_cell(shell, f"%{name} -h") is None
    assert f"usage: %{name}" in capsys.readouterr().out
    assert shell.find_line_magic(name).__doc__.startswith(MAGICS[name].about)
    assert (shell.find_cell_magic(name) is not None) is MAGICS[name].cell


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("%hcat_perturb digits --hardness uniform,far_ood", "mixture.*uniform=0.05 far_ood=0.05"),
        ("%hcat_perturb digits --hardness atypical", "does not apply"),
        ("%hcat_eval nowhere", "no run or folder 'nowhere'"),
        ("%hcat_eval five", "variable 'five' is a int.*a run"),
        ("%hcat_eval --variant hcats", "variant is 'hcats'.*hcat"),
        ("%hcat_eval --resamples many", "many"),
        ("%hcat_resume nowhere", "nowhere holds no run"),
        ("%hcat_resume nowhere --data five", "variable 'five' is a int"),
        ("%hcat_rescore five", "variable 'five' is a int"),
        ("%hcat_audit wine --report page.txt --epochs 0", "page.txt is no name of a page"),
        ("%hcat_panel digits --epochs 0", "epochs is"),
        ("%hcat_panel digitz", "nearest: digits"),
        ("%hcat_methods el2m", "nearest: el2n"),
    ],
)
def test_mistakes_of_every_magic_are_one_line(
    shell: InteractiveShell, line: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.user_ns["five"] = 5
    result = shell.run_cell(line)
    assert isinstance(result.error_in_exec, UsageError), result.error_in_exec
    printed = capsys.readouterr().err.strip()
    assert re.search(words, printed), printed
    assert len(printed.splitlines()) == 1


def test_what_is_written_is_never_evaluated(shell: InteractiveShell) -> None:
    shell.user_ns["called"] = []
    result = shell.run_cell("%hcat_train called.append(1) --epochs called.append(2)")
    assert isinstance(result.error_in_exec, UsageError)
    cell = "%%hcat_train\ndataset: !!python/object/apply:builtins.print [evil]\n"
    assert isinstance(shell.run_cell(cell).error_in_exec, UsageError)
    assert shell.user_ns["called"] == []


def test_perturb_evaluate_resume_and_rescore(shell: InteractiveShell, tmp_path: Path) -> None:
    made = run_cell(shell, "%hcat_perturb digits --hardness uniform --p 0.1 --seed 2")
    assert int(made.truth["is_hard"].sum()) == 180
    folder = tmp_path / "run"
    train = f"run = %hcat_train digits --hardness uniform --p 0.1 {SMALL}"
    run_cell(shell, f"{train} --keep-dynamics logits --out {folder}")
    run = shell.user_ns["run"]
    for line in ("", "run", str(folder)):
        table = run_cell(shell, f"table = %hcat_eval {line}\ntable")
        pd.testing.assert_frame_equal(table, run.evaluate())
    plain = run_cell(shell, "t = %hcat_eval run --no-baselines --resamples 0\nt")
    assert set(plain["kind"]) == {"method"}
    assert plain["auroc_low"].isna().all()
    more = run_cell(shell, "more = %hcat_rescore run --methods loss\nmore")
    assert more.methods == ["aum", "el2n", "loss"]
    assert hcat_nb.last_run is more
    run_cell(shell, f"%hcat_rescore {folder} --methods loss --name saved")
    assert load_run(folder).methods == shell.user_ns["saved"].methods


def test_a_stopped_run_of_ones_own_data_goes_on(shell: InteractiveShell, tmp_path: Path) -> None:
    folder = tmp_path / "run"

    class StopAfterOne(Listener):
        def on_epoch(self, event: EpochEvent) -> None:
            control.stop.set()

    control = Control()
    trees = small_frame()
    options = {"target": "kind", "epochs": 3, "methods": "el2n", "seed": 0, "model": "mlp"}
    characterize(
        trees, **options, out=folder, control=control, listeners=[StopAfterOne()], name="trees"
    )
    shell.user_ns["trees"] = trees
    run_cell(shell, f"run = %hcat_resume {folder} --data trees")
    assert len(shell.user_ns["run"].history) == 3
    plain = characterize(trees, **options, name="trees")
    pd.testing.assert_frame_equal(shell.user_ns["run"].scores, plain.scores)
    assert hcat_nb.last_run is shell.user_ns["run"]


def test_gradients_are_on_whatever_a_cell_set(shell: InteractiveShell) -> None:
    with torch.no_grad():
        run_cell(shell, f"run = %hcat_train wine {SMALL}")
    assert len(shell.user_ns["run"].scores) == 178


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


def test_a_chart_that_shows_nothing_leaves_no_view_behind(
    shell: InteractiveShell,
    displayed: list[tuple[str, dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(LiveListener, "default_chart", alt.Chart().mark_point())
    with pytest.raises(UsageError, match="dataset"):
        shell.run_line_magic("hcat_train", f"wine --display widget {SMALL}")
    assert displayed[-1] == ("update", {"text/plain": "", "text/html": ""})


def execute(*cells: str) -> nbformat.NotebookNode:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    NotebookClient(notebook, timeout=1000).execute()
    return notebook


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_cell_run_twice_gives_the_same_outputs_and_no_stream() -> None:
    # A45: what nbval compares; the map's picture and the words are the same, seconds left out.
    train = f"%hcat_train digits --hardness uniform --p 0.1 {SMALL} --name run"
    notebook = execute("%load_ext hcat_nb", train, train, "run")
    first, second = notebook.cells[1].outputs, notebook.cells[2].outputs
    for output in (*first, *second, *notebook.cells[3].outputs):
        assert output.output_type != "stream"
    assert first[0].data["image/png"] == second[0].data["image/png"]
    assert len(first) == len(second) == 1
    assert len(notebook.cells[3].outputs[0].data["text/plain"]) < 200


@pytest.mark.slow
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
    assert list(shell.user_ns["f"].table.index[:2]) == ["aum", "el2n"]
    assert not (tmp_path / "x").exists()


def test_a_sweep_stands_in_a_cell_a_file_or_a_variable(
    shell: InteractiveShell, tmp_path: Path
) -> None:
    text = "grid: {dataset: [wine], epochs: [1, 2]}\nbase: {model: mlp, methods: [el2n]}\n"
    (tmp_path / "sweep.yaml").write_text(text)
    shell.user_ns["plan"] = {"dataset": "wine", "epochs": [1, 2], "methods": ["el2n"]}
    tables = [
        run_cell(shell, f"%%hcat_sweep --out {tmp_path}/out --dry-run\n{text}").table,
        run_cell(shell, f"%hcat_sweep {tmp_path}/sweep.yaml --out {tmp_path}/out --dry-run").table,
        run_cell(shell, f"%hcat_sweep plan --out {tmp_path}/out --dry-run").table,
    ]
    assert list(tables[0].index) == list(tables[1].index)
    assert all(list(table["epochs"]) == [1, 2] for table in tables)


@pytest.mark.slow
def test_a_sweep_gives_an_object_with_results(
    shell: InteractiveShell, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.user_ns["plan"] = [{"dataset": "wine", "epochs": 1, "model": "mlp", "methods": ["el2n"]}]
    run_cell(shell, f"done = %hcat_sweep plan --out {tmp_path}/out --workers 1")
    done = shell.user_ns["done"]
    assert re.fullmatch(r"<Sweep: .*out, 1 runs: 1 done>", repr(done))
    assert len(done.results()) == 1
    assert "sweep: 1/1 done" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("%hcat_sweep", "there is no sweep"),
        ("%%hcat_sweep plan\ngrid: {p: [0.1]}\n", "the sweep is given twice"),
        ("%%hcat_sweep\ngrid: {sead: [1]}\n", "no parameter 'sead'.*seed"),
        ("%hcat_sweep plan", "no folder to write to"),
        ("%hcat_sweep absent.yaml --out x", "absent.yaml cannot be read"),
    ],
)
def test_mistakes_of_a_sweep_are_one_line(
    shell: InteractiveShell, code: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.user_ns["plan"] = {"dataset": ["wine"]}
    assert isinstance(shell.run_cell(code).error_in_exec, UsageError)
    printed = capsys.readouterr().err.strip()
    assert re.search(words, printed), printed
    assert len(printed.splitlines()) == 1


def test_a_check_returns_the_page_of_the_plain_call(
    shell: InteractiveShell, tmp_path: Path
) -> None:
    trees = small_frame()
    shell.user_ns |= {"trees": trees, "more": trees.tail(20)}
    page = run_cell(shell, "%hcat_check trees --target kind")
    assert page.to_dict() == hcat_nb.check(trees, target="kind", name="trees").to_dict()
    run_cell(shell, "page = %hcat_check trees --target kind --test more --exclude a")
    assert "20 of 20 samples of the test set" in shell.user_ns["page"].severe[0].evidence
    run_cell(shell, f"page = %hcat_check trees --target kind --fix {tmp_path / 'new.csv'}")
    assert (tmp_path / "new.csv.plan").is_file()
    with pytest.raises(UsageError, match="--target"):
        run_cell(shell, "%hcat_check trees")
