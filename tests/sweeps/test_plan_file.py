from __future__ import annotations

import json
from pathlib import Path

import pytest

from hcat_nb.errors import StoreError
from hcat_nb.runs.store.digests import sealed, unsealed
from hcat_nb.spec import DEFAULTS
from hcat_nb.sweeps._plan_file import begin, is_planned, remembered
from hcat_nb.sweeps.grid import Plan, read_plan


def _plan(out: Path) -> Plan:
    plan = read_plan({"base": {"dataset": "wine"}, "total_runs": 2, "time_limit": 9})
    return Plan(plan.cells, {**plan.settings, "out": out, "scheduler": "tcp://gone:1"})


def test_the_folder_remembers_its_plan_but_no_scheduler(tmp_path: Path) -> None:
    out = begin(_plan(tmp_path / "a/b"))
    again = remembered(out)
    assert [one.address for one in again.cells] == [one.address for one in _plan(out).cells]
    assert again.settings == {"time_limit": 9, "out": out}
    assert begin(again) == out  # a second start


def test_a_sweep_of_before_goes_on_with_the_defaults_of_its_day(tmp_path: Path) -> None:
    out = begin(_plan(tmp_path / "out"))
    assert {cell.spec.defaults for cell in remembered(out).cells} == {DEFAULTS}
    record = unsealed((out / "sweep.json").read_text())
    del record["defaults"]
    (out / "sweep.json").write_text(sealed(record))
    assert {cell.spec.defaults for cell in remembered(out).cells} == {1}
    begin(remembered(out))  # and says so from now on
    assert {cell.spec.defaults for cell in remembered(out).cells} == {1}


def test_a_foreign_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(StoreError, match="holds something that is no sweep"):
        begin(_plan(tmp_path))
    with pytest.raises(StoreError, match="is a file"):
        begin(_plan(tmp_path / "letter.txt"))
    with pytest.raises(StoreError, match="holds no sweep"):
        remembered(tmp_path)


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sweep.json").write_text(json.dumps({"schema_version": 99}))
    with pytest.raises(StoreError, match="update hcat_nb"):
        remembered(tmp_path)


@pytest.mark.parametrize("text", ["{}", '{"schema', '{"schema_version": 1}', "[]", "[" * 5000])
def test_a_damaged_plan_is_told_with_what_to_do(text: str, tmp_path: Path) -> None:
    (tmp_path / "sweep.json").write_text(text)
    with pytest.raises(StoreError, match=r"cannot be read .* what is done stays done"):
        remembered(tmp_path)
    assert len(remembered(begin(_plan(tmp_path))).cells) == 2  # so it is mended


def test_the_runs_of_the_last_plan_are_known(tmp_path: Path) -> None:
    assert is_planned(tmp_path)("any")  # there is no plan
    first = _plan(tmp_path / "out")
    out = begin(first)
    second = read_plan([{"dataset": "digits"}])
    begin(Plan(second.cells, {"out": out}))
    assert is_planned(out)(second.cells[0].address)
    assert not is_planned(out)(first.cells[0].address)
    record = unsealed((out / "sweep.json").read_text())
    del record["addresses"]  # as sweeps left it that did not list them
    (out / "sweep.json").write_text(sealed(record))
    assert is_planned(out)(first.cells[0].address)


def test_a_plan_of_somebody_else_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "sweep.json").write_text('{"my": "config"}')
    with pytest.raises(StoreError, match="holds something that is no sweep"):
        begin(_plan(tmp_path))
    assert (tmp_path / "sweep.json").read_text() == '{"my": "config"}'
