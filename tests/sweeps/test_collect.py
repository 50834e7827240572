from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import hcat_nb as hcat
from hcat_nb.api.run import Run
from hcat_nb.errors import StoreError
from hcat_nb.sweeps._state import note_attempt, write_state
from hcat_nb.sweeps.collect import results
from hcat_nb.training.events import EpochEvent, Listener


@pytest.fixture(scope="module")
def run() -> Run:
    options: dict[str, Any] = {"epochs": 1, "methods": "el2n aum", "model": "mlp", "model_seed": 4}
    return hcat.characterize("wine", hardness="uniform", p=0.2, **options)


@pytest.fixture
def put(run: Run, tmp_path: Path) -> Callable[..., Path]:
    """A function that saves the run as a sweep leaves it."""

    def save(address: str, state: str = "done", version: str = "v1") -> Path:
        folder = tmp_path / "sweep" / address
        run.save(folder / "run")
        parameters = {"run_tag": "007"}
        note_attempt(folder, {"event": "started"})
        write_state(folder, {"state": state, "version": version, "parameters": parameters})
        return folder

    return save


def test_a_row_for_each_run_and_method(put: Callable[..., Path], run: Run, tmp_path: Path) -> None:
    for address in ("b", "a"):
        put(address)
    table = results(tmp_path / "sweep")
    metrics = run.evaluate()
    assert len(table) == 2 * len(metrics)
    assert list(table["run"].unique()) == ["a/run", "b/run"]
    first = table[table["run"] == "a/run"].set_index("hcm")
    assert first["auroc"].to_dict() == pytest.approx(metrics.set_index("hcm")["auroc"].to_dict())
    row = first.loc["el2n"]
    setup = (row["dataset"], row["hardness"], row["p"], row["model"])
    assert setup == ("wine", "uniform", 0.2, "mlp")
    assert (row["data_seed"], row["model_seed"], row["seed"]) == (0, 4, 0)
    assert (row["run_tag"], row["code_version"], row["n_samples"]) == ("007", "v1", 178)
    assert row["methods"] == "el2n aum"
    assert row["torch_version"] == run.info["versions"]["torch"]


def test_what_is_not_done_is_left_out(put: Callable[..., Path], tmp_path: Path) -> None:
    put("a")
    put("b", state="failed")
    (put("c") / "state.json").unlink()  # at work, or interrupted
    (tmp_path / "sweep/.draft").mkdir()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert set(results(tmp_path / "sweep")["run"]) == {"a/run"}


def test_what_was_done_and_is_damaged_is_told(put: Callable[..., Path], tmp_path: Path) -> None:
    put("a")
    shutil.rmtree(put("b") / "run")
    state = put("c") / "state.json"
    state.write_text(state.read_text().replace("done", "dine"))
    with pytest.warns(UserWarning, match="left out") as said:
        assert set(results(tmp_path / "sweep")["run"]) == {"a/run"}
    words = sorted(str(one.message) for one in said)
    assert ["b/run is gone" in words[0], "c/state.json is damaged" in words[1]] == [True, True]


def test_plain_runs_are_found_at_any_depth(run: Run, tmp_path: Path) -> None:
    run.save(tmp_path / "x/y")
    run.save(tmp_path / "z")
    run.save(tmp_path / "run")  # a plain name, too, as a sweep has it
    table = results(tmp_path)
    assert list(table["run"].unique()) == ["run", "x/y", "z"]
    assert set(table["code_version"]) == {""}


def test_a_seed_of_a_run_that_is_not_finished_is_no_run(tmp_path: Path) -> None:
    class Stopping(Listener):
        def on_epoch(self, _event: EpochEvent) -> None:
            if (tmp_path / "half/checkpoint/seed_0").is_dir():
                raise KeyboardInterrupt  # as if it was killed in its second training

    options: dict[str, Any] = {"epochs": 1, "methods": "el2n", "model": "mlp", "seeds": 2}
    with pytest.raises(KeyboardInterrupt):
        hcat.characterize("wine", **options, out=tmp_path / "half", listeners=[Stopping()])
    assert (tmp_path / "half/checkpoint/seed_0/run.json").is_file()
    with pytest.raises(StoreError, match="no finished run"):
        results(tmp_path)


def test_a_run_without_hardness_has_one_row_without_metrics(tmp_path: Path) -> None:
    hcat.characterize("wine", epochs=1, methods="el2n", model="mlp").save(tmp_path / "a")
    table = results(tmp_path)
    assert len(table) == 1
    assert "auroc" not in table or table["auroc"].isna().all()


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_the_table_goes_to_a_file(suffix: str, put: Callable[..., Path], tmp_path: Path) -> None:
    put("a")
    target = tmp_path / f"tables/all{suffix}"
    table = results(tmp_path / "sweep", out=target)
    read = pd.read_parquet(target) if suffix == ".parquet" else pd.read_csv(target)
    assert list(read.columns) == list(table.columns)
    assert read["auroc"].tolist() == pytest.approx(table["auroc"].tolist())


@pytest.mark.parametrize(
    ("spoil", "words"),
    [("missing", "is no folder"), ("empty", "no finished run"), ("broken", "cannot be read")],
)
def test_what_cannot_be_collected_is_told(
    spoil: str, words: str, put: Callable[..., Path], tmp_path: Path
) -> None:
    folder = tmp_path / "sweep"
    if spoil == "empty":
        folder.mkdir()
    if spoil == "broken":
        (put("a") / "run/run.json").write_text(json.dumps({"spec": {}}))
    with pytest.raises(StoreError, match=words):
        results(folder)
    with pytest.raises(StoreError, match=r"a \.parquet or \.csv file"):
        results(tmp_path, out="table.xlsx")


def test_runs_of_another_plan_are_told_and_can_be_left_out(
    put: Callable[..., Path], tmp_path: Path
) -> None:
    folder = tmp_path / "sweep"
    for address in ("a", "b"):
        put(address)
    plan = {"schema_version": 1, "runs": [], "settings": {}, "addresses": ["b"]}
    (folder / "sweep.json").write_text(json.dumps(plan))
    with pytest.warns(UserWarning, match="not of the plan that it began last: 1 .*planned=True"):
        both = results(folder)
    assert both.drop_duplicates("run").set_index("run")["planned"].to_dict() == {
        "a/run": False,
        "b/run": True,
    }
    with pytest.warns(UserWarning, match="they are left out"):
        assert set(results(folder, planned=True)["run"]) == {"b/run"}
    (folder / "sweep.json").write_text(json.dumps({**plan, "addresses": []}))
    with pytest.raises(StoreError, match="no finished run of its last plan, and 2 of others"):
        results(folder, planned=True)


def test_a_table_that_cannot_be_written_is_told_at_once(
    put: Callable[..., Path], tmp_path: Path
) -> None:
    put("a")
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"t\.csv cannot be written .* choose another place"):
        results(tmp_path / "sweep", out=tmp_path / "file" / "t.csv")


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_table_of_somebody_else_is_not_replaced(suffix: str, tmp_path: Path) -> None:
    hcat.characterize("wine", epochs=1, methods="el2n", out=tmp_path / "run")
    path = tmp_path / f"table{suffix}"
    table = results(tmp_path / "run", out=path)
    assert len(results(tmp_path / "run", out=path)) == len(table)  # ours is made anew
    mine = pd.DataFrame({"run": [1], "distance": [42.2]})
    (mine.to_csv if suffix == ".csv" else mine.to_parquet)(path)
    before = path.read_bytes()
    with pytest.raises(StoreError, match="exists and is no table of results"):
        results(tmp_path / "run", out=path)
    assert path.read_bytes() == before
