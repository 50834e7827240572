"""Decisions: one step a call, undo, a file that is always whole, and who they belong to."""

from __future__ import annotations

import gc
import json
import os
import weakref

import numpy as np
import pandas as pd
import pytest

from hcat_nb.api.characterize import characterize
from hcat_nb.api.run import load_run
from hcat_nb.errors import SpecError, StoreError, UnknownNameError
from hcat_nb.runs.review.decisions import Decisions
from hcat_nb.runs.review.samples import Samples

IDS = [f"s{i:03}" for i in range(6)]


@pytest.fixture
def samples() -> Samples:
    codes = [0, 1, 2, 0, -1, 1]
    return Samples(pd.Index(IDS), pd.Categorical.from_codes(codes, categories=pd.Index([8, 3, 5])))


@pytest.fixture
def decisions(samples) -> Decisions:
    return Decisions(samples)


def test_one_sample_needs_no_list(decisions):
    decisions.relabel("s001", 8)
    decisions.drop("s002")
    assert decisions.frame()["action"].to_dict() == {"s001": "relabel", "s002": "drop"}
    decisions.clear("s001")
    assert decisions.frame().index.tolist() == ["s002"]
    with pytest.raises(UnknownNameError, match="no sample 's0'"):
        decisions.keep("s0")
    numbers = Decisions(Samples(pd.Index([10, 20]), pd.Categorical([0, 1])))
    numbers.mislabeled(20)
    assert numbers.codes().tolist() == [-1, 0]
    with pytest.raises(UnknownNameError, match="no sample 1;"):
        numbers.mislabeled(1)


def test_the_table_says_what_was_decided_and_when(decisions):
    decisions.relabel(["s001"], 8, note="a loop")
    decisions.mislabeled(["s000", "s003"])
    decisions.drop(["s002"])
    decisions.relabel(["s004"], 5)
    frame = decisions.frame()
    assert frame.index.name == "sample_id"
    assert frame.index.tolist() == ["s000", "s001", "s002", "s003", "s004"]
    assert frame["action"].tolist() == ["mislabeled", "relabel", "drop", "mislabeled", "relabel"]
    assert frame["label"].tolist()[:4] == [8, 3, 5, 8]
    assert frame["label"].isna().tolist() == [False] * 4 + [True]
    assert frame["new_label"].dropna().to_dict() == {"s001": 8, "s004": 5}
    assert frame["note"].tolist() == ["", "a loop", "", "", ""]
    age = pd.Timestamp.now("UTC") - pd.to_datetime(frame["time"]).min()
    assert pd.Timedelta(0) <= age + pd.Timedelta("1s")  # times are cut to whole seconds
    assert age < pd.Timedelta("1h")


def test_the_last_decision_holds_and_steps_go_back_and_forth(decisions):
    decisions.mislabeled(["s000", "s001"])
    decisions.relabel(["s001"], 5)
    assert decisions.frame()["action"].tolist() == ["mislabeled", "relabel"]
    assert decisions.undo() == [1]
    assert decisions.frame()["action"].tolist() == ["mislabeled", "mislabeled"]
    assert decisions.undo() == [0, 1]
    assert len(decisions) == 0
    assert decisions.undo() == []
    assert decisions.steps == (0, 2)
    assert decisions.redo() == [0, 1]
    decisions.keep(["s005"])  # what was undone and not done again is gone
    assert decisions.redo() == []
    assert decisions.frame()["action"].tolist() == ["mislabeled", "mislabeled", "keep"]


def test_a_decision_is_taken_back_by_clear_which_can_be_undone(decisions):
    decisions.drop(["s000"])
    decisions.clear(["s000", "s001"])
    assert len(decisions) == 0
    decisions.undo()
    assert decisions.frame()["action"].tolist() == ["drop"]
    decisions.clear(["s005"])  # nothing to take back: no step
    assert decisions.steps == (1, 1)


def test_mistakes_are_named_and_change_nothing(decisions):
    for mistake, message in (
        (lambda: decisions.drop(["s000", "s9"]), "no sample 's9'"),
        (lambda: decisions.relabel(["s000"], 4), "no class 4; expected one of 8, 3, 5"),
        (lambda: decisions.relabel(["s001", "s000"], 8), "'s000' has the label 8 already"),
        (lambda: decisions.decide([0], "relabel"), "'relabel' without a new label"),
    ):
        with pytest.raises((SpecError, UnknownNameError), match=message):
            mistake()
    assert decisions.steps == (0, 0)


def test_listeners_hear_each_change(decisions):
    heard = []
    decisions.listeners.append(lambda: heard.append(len(decisions)))
    decisions.drop(["s000", "s001"])
    decisions.undo()
    decisions.undo()
    assert heard == [2, 0]


def test_codes_and_repr(decisions):
    decisions.mislabeled(["s003"])
    decisions.keep(["s001"])
    assert decisions.codes().tolist() == [-1, 3, -1, 0, -1, -1]
    assert repr(decisions) == "<2 decisions (1 mislabeled, 1 keep); kept in memory only>"


def test_a_file_brings_them_back_with_their_undo(samples, tmp_path):
    first = Decisions(samples, tmp_path / "d.json")
    assert not (tmp_path / "d.json").exists()  # nothing decided, nothing written
    first.relabel(["s001"], 8, note="ü")
    first.drop(["s000", "s004"])
    first.keep(["s005"])
    first.undo()
    again = Decisions(samples, tmp_path / "d.json")
    pd.testing.assert_frame_equal(again.frame(), first.frame())
    assert again.steps == (2, 1)
    again.undo()
    assert again.frame().index.tolist() == ["s001"]
    assert [path.name for path in tmp_path.iterdir()] == ["d.json"]


def test_a_decision_that_cannot_be_kept_is_not_taken(samples, tmp_path, monkeypatch):
    decisions = Decisions(samples, tmp_path / "d.json")
    decisions.drop(["s000"])

    def full(*_):
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("hcat_nb.runs.review.decision_files.write_json", full)
        for step in (lambda: decisions.drop(["s001"]), decisions.undo):
            with pytest.raises(
                StoreError, match=r"not taken: .*d.json cannot be written \(no space"
            ):
                step()
    assert decisions.frame().index.tolist() == ["s000"]
    assert Decisions(samples, tmp_path / "d.json").frame().index.tolist() == ["s000"]


def test_two_notebooks_do_not_overwrite_each_other(samples, tmp_path):
    first = Decisions(samples, tmp_path / "d.json")
    second = Decisions(samples, tmp_path / "d.json")
    first.drop(["s000"])
    with pytest.raises(StoreError, match=rf"was changed by process {os.getpid()} on"):
        second.drop(["s001"])
    assert Decisions(samples, tmp_path / "d.json").frame().index.tolist() == ["s000"]


def test_decisions_in_memory_go_behind_what_the_file_holds(samples, tmp_path):
    Decisions(samples, tmp_path / "d.json").drop(["s000", "s001"])
    late = Decisions(samples)
    late.keep(["s001"])
    late.keep_in(tmp_path / "d.json")
    again = Decisions(samples, tmp_path / "d.json")
    for table in (late, again):
        assert table.frame()["action"].to_dict() == {"s000": "drop", "s001": "keep"}


@pytest.mark.parametrize("kind", ["saved", "file"])
def test_those_of_a_run_come_back_after_it_is_loaded(kind, table_run, tmp_path):
    folder = table_run.save(tmp_path / "run")
    file = tmp_path / "own.json" if kind == "file" else None
    run = load_run(folder)
    ids = run.scores.index[[5, 2]]
    run.decisions(file).drop(ids, note="torn")
    assert run.decisions() is run.decisions(file)
    expected = tmp_path / ("own.json" if kind == "file" else "run.decisions.json")
    assert run.decisions().file == expected
    assert json.loads(expected.read_text())["done"] == 1
    again = load_run(folder).decisions(file)
    assert again.frame().index.tolist() == sorted(ids)
    assert again.frame()["note"].tolist() == ["torn", "torn"]


def test_saving_a_run_keeps_what_was_decided_before(tmp_path):
    frame = pd.DataFrame({"a": np.arange(20.0), "y": ["p", "q"] * 10})
    run = characterize(frame, target="y", epochs=1, methods="el2n", seed=0)
    run.decisions().drop([3])
    assert run.decisions().file is None
    run.save(tmp_path / "run")
    assert load_run(tmp_path / "run").decisions().frame().index.tolist() == [3]
    # a run on other labels, saved in its place, does not take them for its own
    other = characterize(
        frame.assign(y=["q", "p"] * 10), target="y", epochs=1, methods="el2n", seed=0
    )
    other.save(tmp_path / "run", overwrite=True)
    with pytest.raises(StoreError, match=r"do not fit this run: sample 3 .*'q' and has .*'p'"):
        other.decisions()


def test_they_go_with_their_run():
    frame = pd.DataFrame({"a": np.arange(20.0), "y": ["p", "q"] * 10})
    run = characterize(frame, target="y", epochs=1, methods="el2n", seed=0)
    gone = weakref.ref(run.decisions())
    del run
    gc.collect()
    assert gone() is None
