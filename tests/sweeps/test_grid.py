"""Report A33, and which runs a plan stands for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hcat_nb.errors import DataError, HcatError, MissingDataError, SpecError, UnknownNameError
from hcat_nb.methods.loss import Loss
from hcat_nb.registry import METHODS
from hcat_nb.spec import RunSpec
from hcat_nb.sweeps import grid
from hcat_nb.sweeps.grid import Cell, check_hardness, read_plan


def _parameters(source: Any) -> list[dict[str, Any]]:
    return [cell.parameters for cell in read_plan(source).cells]


def test_a_grid_is_all_combinations_under_our_own_names() -> None:
    found = _parameters(
        {
            "base": {"model_name": "MLP", "hardness": "uniform", "methods": ["aum", "vog"]},
            "grid": {"dataset": ["wine", "digits"], "prop": [0.1, 0.3]},
        }
    )
    assert [(one["dataset"], one["p"]) for one in found] == [
        ("wine", 0.1),
        ("wine", 0.3),
        ("digits", 0.1),
        ("digits", 0.3),
    ]
    assert all(one["model"] == "MLP" and one["methods"] == ["aum", "vog"] for one in found)


def test_a_list_of_methods_is_one_value_and_a_list_of_lists_several() -> None:
    assert len(_parameters({"methods": ["aum", "vog"]})) == 1
    assert len(_parameters({"methods": [["aum"], ["vog", "aum"]]})) == 2


def test_runs_stand_beside_the_grid_and_twice_the_same_is_once() -> None:
    runs = [{"dataset": "wine", "p": 0.4}, {"p": 0.1, "dataset": "wine"}]
    base = {"hardness": "uniform"}
    grid = {"dataset": "wine", "p": [0.1, 0.2]}
    found = _parameters({"base": base, "grid": grid, "runs": runs})
    assert [one["p"] for one in found] == [0.1, 0.2, 0.4]
    assert len(read_plan({"base": base, "runs": runs}).cells) == 2


def test_fix_seed_repeats_with_the_data_seed_fixed() -> None:
    found = _parameters({"runs": [{"seed": 5}], "total_runs": 3, "fix_seed": "true"})
    assert [(one["data_seed"], one["model_seed"]) for one in found] == [(5, 5), (5, 6), (5, 7)]
    found = _parameters({"dataset": "wine", "total_runs": 2})
    assert [(one["data_seed"], one["model_seed"]) for one in found] == [(0, 0), (1, 1)]


def test_a_sample_is_drawn_by_its_seed() -> None:
    document = {"grid": {"seed": list(range(20))}, "sample": {"n": 5, "seed": 1}}
    first, again = _parameters(document), _parameters(document)
    other = _parameters({**document, "sample": {"n": 5, "seed": 2}})
    assert first == again
    assert len(first) == 5
    assert first != other
    with pytest.raises(SpecError, match="21 combinations; expected 1 to 20"):
        read_plan({**document, "sample": 21})


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({"sead": [3]}, r"no parameter 'sead'.*seed"),
        ({"base": {"epoch": 3}}, r"no parameter 'epoch'.*epochs"),
        ([{"dataset": "wine", "metods": "aum"}], r"no parameter 'metods'.*methods"),
        ({"dataset": ["wien"]}, "wine"),
        ({"gird": {}, "base": {}}, r"no part 'gird'.*grid"),
        ({"grid": {}, "sample": {"m": 3}}, "sample has no 'm'"),
    ],
)
def test_a_misspelt_name_is_refused_with_the_nearest(source: Any, words: str) -> None:
    with pytest.raises(UnknownNameError, match=words):
        read_plan(source)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({"p": [float("nan")]}, "p is nan"),
        ({"p": [1.5]}, r"p is 1.5; expected a proportion"),
        ({"p": []}, "no value for p"),
        ({"dataset": ["wine"], "p": [0.2]}, "p is 0.2, and no kind of hardness is given"),
        ({"base": [1]}, "base is"),
        ({"runs": "wine"}, "runs is 'wine'"),
        ({"dataset": "wine", "total_runs": 0}, "total_runs is 0"),
        ({"grid": {"total_runs": 2}}, "stands in the grid"),
        ({"base": {"fix_seed": "maybe"}}, "fix_seed is 'maybe'"),
        ({"base": {"prop": 0.1, "p": 0.2}}, "'p' is given twice"),
        ({"base": {"run_tag": 7}}, "run_tag is 7; expected text; to mend it: write it in quotes"),
        ({"base": {"out": "x"}}, "out is no parameter"),
        ({"base": {"features": np.zeros((9, 2))}}, "features is an array, which no notebook can"),
        ({"base": {"features": "own"}}, "features of a run are an object"),
        (3, "a sweep is 3"),
        ({"dataset": "absent.csv", "target": "y"}, "file .*absent.csv is absent"),
        ([], "list of runs is empty"),
        ({"base": {"dataset": "wine"}, "runs": []}, "list of runs is empty"),
        ([{"dataset": "wine"}, {"dataset": "digits", "total_runs": 0}], "total_runs is 0"),
        ("absent.yaml", "absent.yaml cannot be read"),
    ],
)
def test_a_wrong_plan_is_refused_in_one_line(source: Any, words: str) -> None:
    with pytest.raises((SpecError, MissingDataError), match=words) as caught:
        read_plan(source)
    assert "\n" not in str(caught.value)


def test_yaml_says_the_same_as_python(tmp_path: Path) -> None:
    path = tmp_path / "sweep.yaml"
    path.write_text(
        "grid: {dataset: [wine], hardness: uniform, p: [0.1, 0.2]}\ntime_limit: 60\nout: there\n"
    )
    plan = read_plan(path)
    python = read_plan({"dataset": ["wine"], "hardness": "uniform", "p": [np.float64(0.1), 0.2]})
    assert [cell.address for cell in plan.cells] == [cell.address for cell in python.cells]
    assert plan.settings == {"time_limit": 60, "out": "there"}


def test_the_address_is_of_what_decides_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wine = {"dataset": "wine", "hardness": "uniform"}
    plain = Cell(wine).address
    same = [{"epochs": None}, {"seed": 0}, {"data_seed": 0}, {"root": "/x"}, {"download": False}]
    other = [{"epochs": 10}, {"seed": 1}, {"model_seed": 1}, {"run_tag": "a"}, {"p": 0.2}]
    assert {Cell({**wine, **more}).address for more in same} == {plain}
    assert plain not in {Cell({**wine, **more}).address for more in other}
    named = [{"methods": "aum vog"}, {"methods": ["vog", "aum"]}, {"hcms": ["aum", "vog"]}]
    assert len({read_plan([one]).cells[0].address for one in named}) == 1
    file = tmp_path / "own.csv"
    file.write_text("a,label\n1,x\n2,y\n")
    before = Cell({"dataset": str(file), "target": "label"}).address
    file.write_text("a,label\n1,x\n30,y\n")  # longer: a clock may tick too slowly to tell
    assert Cell({"dataset": str(file), "target": "label"}).address != before
    monkeypatch.setattr(grid, "code_version", lambda: "00000000")
    assert Cell({"dataset": "wine"}).address != plain


def test_the_path_of_a_dataset_holds_in_every_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own.csv").write_text("a,label\n1,x\n2,y\n")
    monkeypatch.chdir(tmp_path)
    (found,) = _parameters({"dataset": "own.csv", "target": "label"})
    assert (found["dataset"], found["target"]) == (str(tmp_path / "own.csv"), "label")
    monkeypatch.setenv("HOME", str(tmp_path))
    (at_home,) = _parameters({"dataset": "~/own.csv", "target": "label"})
    assert at_home == found


def test_the_labels_of_an_array_are_a_file_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.save(tmp_path / "x.npy", np.zeros((4, 2), np.float32))
    np.save(tmp_path / "y.npy", np.array([0, 1, 0, 1]))
    monkeypatch.chdir(tmp_path)
    source = {"dataset": "x.npy", "target": "y.npy"}
    (before,) = read_plan(source).cells
    assert before.parameters["target"] == str(tmp_path / "y.npy")
    np.save(tmp_path / "y.npy", np.array([0, 1, 1, 1]))
    assert read_plan(source).cells[0].address != before.address
    (tmp_path / "y.npy").unlink()
    with pytest.raises(MissingDataError, match=r"y\.npy is absent"):
        read_plan(source)


def test_what_only_this_process_knows_is_refused() -> None:
    class Mine(Loss):
        name = "mine"

    METHODS.register(Mine)
    try:
        for methods in (["mine"], ["all"]):
            with pytest.raises(SpecError, match="method 'mine' is registered in this process only"):
                read_plan([{"dataset": "wine", "methods": methods}])
        assert read_plan([{"dataset": "wine", "methods": ["aum"]}]).cells
    finally:
        METHODS.unregister("mine")


def test_without_hardness_its_proportion_makes_no_further_run() -> None:
    plan = read_plan({"dataset": ["wine"], "hardness": ["none", "uniform"], "p": [0.1, 0.2]})
    assert [cell.parameters["hardness"] for cell in plan.cells].count("uniform") == 2
    assert len(plan.cells) == 3


def test_a_plan_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(SpecError, match=r"bad\.yaml cannot be read"):
        read_plan(tmp_path / "bad.yaml")


@pytest.mark.parametrize(
    "plan",
    [
        {"grid": {name: list(range(1, 200)) for name in ("epochs", "seed", "batch_size")}},
        {"grid": {"dataset": ["wine"]}, "total_runs": 10**12},
        {"runs": [{"dataset": "wine", "total_runs": 10**9}]},
        {"grid": {"epochs": list(range(1, 200))}, "sample": 10**7},
    ],
)
def test_runs_are_counted_before_they_are_made(plan: dict[str, Any]) -> None:
    with pytest.raises(SpecError, match=r"at most 100,000|1 to 199"):
        read_plan(plan)


def test_a_sample_of_more_combinations_than_fit_anywhere_is_drawn() -> None:
    names = ("epochs", "seed", "batch_size", "data_seed", "model_seed", "lr", "p")
    numbers = list(range(1, 1500))
    axes = dict.fromkeys(names[:5], numbers) | {"lr": [n / 1e6 for n in numbers]}
    axes |= {"p": [n / 1e5 for n in numbers], "hardness": ["uniform"]}
    plan = read_plan({"grid": {"dataset": ["wine"], **axes}, "sample": {"n": 5, "seed": 1}})
    assert len(plan.cells) == 5
    again = read_plan({"grid": {"dataset": ["wine"], **axes}, "sample": {"n": 5, "seed": 1}})
    assert [cell.address for cell in plan.cells] == [cell.address for cell in again.cells]


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"dataset": "wine", "hardness": "crop_shift"}, DataError, "does not apply to table"),
        ({"dataset": "own.csv", "hardness": "domain_shift"}, DataError, "expected image data"),
        ({"dataset": "photos/", "hardness": "atypical"}, DataError, "does not apply to image"),
        ({"dataset": "mnist", "hardness": "atypical"}, DataError, "expected table data"),
        (
            {"dataset": "wine", "hardness": "uniform", "hardness_options": {"foo": 2}},
            UnknownNameError,
            "unknown option 'foo' of the hardness 'uniform'",
        ),
    ],
)
def test_what_no_data_are_needed_to_tell(
    options: dict[str, Any], error: type[HcatError], words: str
) -> None:
    with pytest.raises(error, match=words):
        check_hardness(RunSpec.from_options(**options))


@pytest.mark.parametrize(
    "options",
    [
        {"dataset": "wine"},
        {"dataset": "wine", "hardness": "atypical", "hardness_options": {"column": "ash"}},
        {"dataset": "x.npy", "hardness": "crop_shift"},  # rows or images: its shape tells
        {"dataset": "own.csv", "dataset_options": {"image": "file"}, "hardness": "crop_shift"},
        {"dataset": "folder", "hardness": "zoom_shift"},
        {"dataset": "wine", "hardness": {"uniform": 0.1, "far_ood": 0.1}},
    ],
)
def test_what_may_be_passes(options: dict[str, Any]) -> None:
    check_hardness(RunSpec.from_options(**options))


def test_a_plan_is_checked_in_every_cell(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'domain_shift' does not apply to table data"):
        read_plan({"dataset": ["wine"], "hardness": ["uniform", "domain_shift"]})
