"""Options of reading data among the options of a run."""

from __future__ import annotations

import pandas as pd
import pytest

from hcat_nb.api.characterize import characterize
from hcat_nb.errors import SpecError, UnknownNameError
from hcat_nb.reading import READING, SEVERAL, with_reading
from hcat_nb.spec import RunSpec
from hcat_nb.sweeps.grid import read_plan


def test_they_stand_among_the_options_of_the_dataset_wherever_they_are_given() -> None:
    spec = RunSpec.from_options(dataset="a.csv", text="t", dataset_options={"drop": "id"})
    assert spec.dataset_options == {"drop": "id", "text": "t"}
    assert spec.replace(text="u", epochs=3).dataset_options == {"drop": "id", "text": "u"}
    assert RunSpec.from_options(dataset="a.csv").dataset_options == {}
    with pytest.raises(SpecError, match="text is given twice"):
        RunSpec.from_options(dataset="a.csv", text="t", dataset_options={"text": "u"})
    with pytest.raises(UnknownNameError, match=r"nearest: .*text"):
        RunSpec.from_options(dataset="a.csv", txt="t")


def test_characterize_takes_what_its_error_proposes() -> None:
    frame = pd.DataFrame({"t": [f"word {i} of {i % 2}" for i in range(60)], "y": [0, 1] * 30})
    options = {"epochs": 1, "methods": "el2n", "judges": False, "learning_check": False}
    run = characterize(frame, target="y", text="t", **options)
    assert run.spec.dataset_options == {"text": "t"}


def test_a_plan_takes_them_as_axes(tmp_path) -> None:
    (tmp_path / "t.csv").write_text("a,y\n1,p\n2,q\n")
    base = {"dataset": str(tmp_path / "t.csv"), "target": "y"}
    plan = read_plan({"base": base, "grid": {"impute": ["mean", "median"]}})
    options = [cell.spec.dataset_options for cell in plan.cells]
    assert options == [{"impute": "mean"}, {"impute": "median"}]
    spelt = read_plan([{**base, "dataset_options": {"impute": "mean"}}]).cells[0]
    assert spelt.address == plan.cells[0].address


def test_names_are_told_once() -> None:
    assert set(SEVERAL) <= set(READING)
    assert with_reading({"epochs": 1}) == {"epochs": 1}
