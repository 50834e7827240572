"""Decisions as CSV, Parquet and JSON: what goes out comes in, and nothing else does."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from hcat_nb.errors import DataError, SpecError, StoreError, UnknownNameError
from hcat_nb.runs.review.decisions import Decisions
from hcat_nb.runs.review.samples import Samples

KINDS = {
    "text": ("oak", "<b id=evil>elm</b>", "NA"),
    "whole": (8, 3, 5),
    "float": (0.0, 1.0, 2.0),
    "bool": (False, True),
}


def make(ids=None, values=KINDS["whole"]) -> Samples:
    codes = [0, 1, 1, 0, -1]
    ids = [10, 20, 30, 40, 50] if ids is None else ids
    return Samples(pd.Index(ids), pd.Categorical.from_codes(codes, pd.Index(list(values))))


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "ids",
    [
        None,
        ["a,b", 'say "hi"', "ü", "<i>", "007"],
        list(pd.date_range("2026-01-01", periods=5)),
        [0.5, 1.0, 1e-7, 2.0, 3.0],
    ],
)
def test_an_export_comes_back(suffix, kind, ids, tmp_path):
    samples = make(ids, KINDS[kind])
    decisions = Decisions(samples)
    last = KINDS[kind][-1]
    decisions.relabel([samples.ids[0], samples.ids[4]], last, note='line\nbreak, "quoted"')
    decisions.mislabeled([samples.ids[1]])
    decisions.keep([samples.ids[2]])
    path = decisions.export(tmp_path / "deep" / f"decisions{suffix}")
    again = Decisions(samples)
    again.add(path)
    pd.testing.assert_frame_equal(again.frame(), decisions.frame())
    assert again.steps == (1, 0)
    assert list((tmp_path / "deep").iterdir()) == [path]
    direct = Decisions(samples)
    direct.add(decisions.frame())
    pd.testing.assert_frame_equal(direct.frame(), decisions.frame())


def test_types_stay_in_parquet(tmp_path):
    decisions = Decisions(make())
    decisions.relabel([10], 3)
    decisions.drop([50])
    frame = pd.read_parquet(decisions.export(tmp_path / "d.parquet"))
    assert frame.index.tolist() == [10, 50]
    assert frame["label"].iloc[0] == 8
    assert frame["new_label"].iloc[0] == 3
    assert frame.isna()["new_label"].tolist() == [False, True]


def test_an_empty_table_can_be_exported(tmp_path):
    path = Decisions(make()).export(tmp_path / "d.csv")
    assert path.read_text() == "sample_id,action,label,new_label,note,time\n"


def test_a_table_of_ids_and_actions_is_enough():
    decisions = Decisions(make())
    decisions.add(pd.DataFrame({"sample_id": [30, 10], "action": ["drop", "keep"]}))
    assert decisions.frame()["action"].to_dict() == {10: "keep", 30: "drop"}


@pytest.mark.parametrize(
    ("table", "error", "message"),
    [
        ({"action": ["drop"]}, DataError, "names no samples"),
        ({"sample_id": [10]}, DataError, "no column action"),
        ({"sample_id": [10, 99], "action": "drop"}, UnknownNameError, "no sample 99"),
        ({"sample_id": [10, 10], "action": "drop"}, DataError, "two decisions on sample 10"),
        ({"sample_id": [10], "action": "erase"}, SpecError, "sample 10: the action is 'erase'"),
        ({"sample_id": [10], "action": "relabel"}, SpecError, "sample 10: 'relabel' without"),
        (
            {"sample_id": [10], "action": "relabel", "new_label": 4},
            UnknownNameError,
            "sample 10: there is no class 4",
        ),
        (
            {"sample_id": [10], "action": "relabel", "new_label": 8},
            SpecError,
            "sample 10 has the label 8 already",
        ),
        (
            {"sample_id": [10], "action": "drop", "label": 3},
            DataError,
            "sample 10 was decided on with the label 3 and has the label 8",
        ),
    ],
)
def test_what_does_not_fit_is_refused_by_name(table, error, message):
    decisions = Decisions(make())
    with pytest.raises(error, match=message):
        decisions.add(pd.DataFrame(table))
    assert decisions.steps == (0, 0)


def test_places_and_files_that_are_no_good_are_named(tmp_path):
    decisions = Decisions(make())
    with pytest.raises(StoreError, match=r"suffix of .*d\.xlsx is '\.xlsx'; expected \.csv or"):
        decisions.export(tmp_path / "d.xlsx")
    with pytest.raises(StoreError, match="cannot be read"):
        decisions.add(tmp_path / "absent.csv")
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        decisions.export(tmp_path / "file" / "d.csv")
    (tmp_path / "d.parquet").write_text("no parquet")
    with pytest.raises(StoreError, match="cannot be read"):
        decisions.add(tmp_path / "d.parquet")


def _step(**changes):
    group = {"action": "drop", "note": "", "time": "t", "ids": ["10"], "labels": [8]}
    return [{**group, **changes}]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "cannot be read"),
        ({"done": 0, "steps": []}, "cannot be read"),
        ({"schema_version": 9, "done": 0, "steps": []}, "has the schema 9; expected at most 1"),
        (
            {"schema_version": 1, "done": 1, "steps": [_step(ids=["11"])]},
            "do not fit this run: there is no sample '11'",
        ),
        (
            {"schema_version": 1, "done": 1, "steps": [_step(labels=[3])]},
            "do not fit this run: sample 10 was decided on with the label 3",
        ),
        ({"schema_version": 1, "done": 1, "steps": [_step(labels=[])]}, "cannot be read"),
    ],
)
def test_a_journal_that_is_broken_or_anothers_is_refused_and_stays(content, message, tmp_path):
    path = tmp_path / "d.json"
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_text(text)
    with pytest.raises(StoreError, match=message):
        Decisions(make(), path)
    assert path.read_text() == text


def test_a_journal_groups_what_was_decided_together(tmp_path):
    decisions = Decisions(make(), tmp_path / "d.json")
    decisions.relabel([10, 40], 5)
    decisions.clear([10])
    content = json.loads((tmp_path / "d.json").read_text())
    first, second = content["steps"]
    assert [group["ids"] for group in first] == [["10", "40"]]
    assert first[0]["new_label"] == 5
    assert second == [{"ids": ["10"], "labels": [8]}]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_an_export_replaces_tables_of_decisions_and_nothing_else(suffix, tmp_path):
    table = Decisions(Samples(pd.Index([1, 2]), pd.Categorical(["a", "b"])))
    table.drop([1])
    path = tmp_path / f"table{suffix}"
    table.export(path)
    table.drop([2])
    table.export(path)
    read = pd.read_csv if suffix == ".csv" else pd.read_parquet
    assert len(read(path)) == 2
    mine = pd.DataFrame({"sample_id": [1], "label": ["a"]})
    (mine.to_csv if suffix == ".csv" else mine.to_parquet)(path)
    before = path.read_bytes()
    for _ in range(2):
        with pytest.raises(StoreError, match="exists and is no table of decisions"):
            table.export(path)
        assert path.read_bytes() == before
        path.write_bytes(before := b"\0mine")


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("note", ["a\rb", "a\nb", "\r\n", 'a "b", c'])
def test_a_note_of_any_text_comes_back(suffix, note, tmp_path):
    decisions = Decisions(make())
    decisions.drop([10, 50], note=note)
    back = Decisions(make())
    back.add(decisions.export(tmp_path / f"kept{suffix}"))
    assert back.items() == decisions.items()
