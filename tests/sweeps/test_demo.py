from __future__ import annotations

import json
from pathlib import Path

import pytest

from hcat_nb.api.characterize import characterize
from hcat_nb.api.run import load_run
from hcat_nb.cli import main
from hcat_nb.errors import StoreError, UnknownNameError
from hcat_nb.runs.first_look import score_of
from hcat_nb.sweeps.demo import Demo, run_demo


@pytest.mark.parametrize(
    ("parameters", "error"),
    [({"sead": 3}, UnknownNameError), ({}, StoreError)],
    ids=["misspelt parameter", "a foreign folder in the way"],
)
def test_mistakes_are_told_before_the_kernel_starts(
    parameters: dict[str, int], error: type[Exception], tmp_path: Path
) -> None:
    if error is StoreError:
        (tmp_path / "run").mkdir()
        (tmp_path / "run/letter.txt").write_text("not a run")
    with pytest.raises(error):
        run_demo(tmp_path, progress=False, **parameters)
    assert not (tmp_path / "tutorial.ipynb").exists()


@pytest.mark.slow
def test_the_demo_makes_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    earlier = characterize("wine", epochs=1, seed=1, methods="aum", out=tmp_path / "demo/run")
    demo = run_demo(tmp_path / "demo", progress=False, dataset="wine", epochs=2, model="mlp")
    run = load_run(demo.run)
    assert (run.spec.dataset, run.spec.epochs) == ("wine", 2)
    assert run.spec != earlier.spec  # it took the place of the earlier run

    cells = json.loads(demo.notebook.read_text())["cells"]
    assert all(cell["execution_count"] for cell in cells if cell["cell_type"] == "code")
    assert demo.notebook.stat().st_size < 1_000_000
    assert demo.page.read_text().startswith("<!DOCTYPE html>")
    assert demo.picture.read_bytes().startswith(b"\x89PNG")

    said = str(demo)
    for path in (demo.notebook, demo.page, demo.run, demo.picture):
        assert str(path) in said
    scores = score_of(run, demo.by).sort_values(ascending=False, kind="stable")
    assert list(demo.hardest[demo.by]) == list(scores.iloc[:3])
    assert all(f"sample {sample}:" in said for sample in demo.hardest.index)

    asked = []

    def done(out: str, *, progress: bool) -> Demo:
        asked.append(progress)
        return demo

    monkeypatch.setattr("hcat_nb.sweeps.demo.run_demo", done)
    assert main(["demo", "--json", "--quiet"]) == main(["demo", "--quiet"]) == 0
    assert asked == [False, False]
    told = json.loads(capsys.readouterr().out)
    assert told["page"] == str(demo.page)
    assert [row[demo.by] for row in told["hardest"]] == pytest.approx(list(demo.hardest[demo.by]))
    assert set(told) == {"notebook", "page", "run", "picture", "by", "hardest"}


@pytest.mark.parametrize("name", ["tutorial.ipynb", "tutorial.html", "data_map.png"])
def test_files_of_somebody_else_are_not_replaced(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text('{"metadata": {}, "mine": 1}')
    with pytest.raises(StoreError, match=f"{name} exists and is of no demo"):
        run_demo(tmp_path, progress=False)
    assert (tmp_path / name).read_text() == '{"metadata": {}, "mine": 1}'
