from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hcat_nb.errors import StoreError
from hcat_nb.sweeps._state import write_state
from hcat_nb.sweeps.dry_run import DryRun
from hcat_nb.sweeps.grid import read_plan
from hcat_nb.sweeps.sweep import sweep


def _done(folder: Path, seconds: float) -> None:
    (folder / "run").mkdir(parents=True)
    (folder / "run/run.json").write_text("{}")
    (folder / "benchmark.ipynb").write_text("{}")
    write_state(folder, {"state": "done", "seconds": seconds})


def test_it_shows_the_runs_and_what_they_would_take(tmp_path: Path, tiny: dict[str, Any]) -> None:
    plan = {"base": tiny, "grid": {"p": [0.1, 0.2], "epochs": [1, 2]}}
    cells = read_plan(plan).cells
    _done(tmp_path / cells[0].address, 12.0)
    told = sweep(plan, out=tmp_path, workers=2, dry_run=True)
    assert isinstance(told, DryRun)
    table = told.table
    assert list(table.index) == [cell.address for cell in cells]
    assert list(table["done"]) == [True, False, False, False]
    assert list(table["from"]) == ["measured", "forecast", "like", "forecast"]
    assert table["seconds"].iloc[2] == 12.0
    assert table["seconds"].iloc[1] == table["seconds"].iloc[3] > 0
    assert told.seconds == pytest.approx(12.0, abs=0.1)  # the longest; the others fit beside it
    assert "4 runs, 1 of them done; about 12 s for the others, 2 at a time" in repr(told)
    assert not (tmp_path / "sweep.json").exists()


def test_a_damaged_run_is_named(tmp_path: Path, tiny: dict[str, Any]) -> None:
    plain = {name: value for name, value in tiny.items() if name != "epochs"}
    (cell,) = read_plan([plain]).cells
    _done(tmp_path / cell.address, 3.0)
    for text in ('{"spec', "[" * 5000, "{}", '{"schema_version": 1, "spec": []}'):
        (tmp_path / cell.address / "run/run.json").write_text(text)
        with pytest.raises(StoreError, match=r"run\.json cannot be read"):
            sweep([plain], out=tmp_path, dry_run=True)


def test_when_all_is_done_nothing_is_left(tmp_path: Path, tiny: dict[str, Any]) -> None:
    (cell,) = read_plan([tiny]).cells
    _done(tmp_path / cell.address, 3.0)
    told = sweep([tiny], out=tmp_path, dry_run=True)
    assert isinstance(told, DryRun)
    assert told.seconds == 0
