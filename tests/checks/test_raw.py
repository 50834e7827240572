from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hcat_nb.checks.raw import coded, feature_frame, raw_table
from hcat_nb.data.loading import load
from hcat_nb.spec import RunSpec

FRAME = pd.DataFrame({"a": [1.0, 2, 3], "b": list("xyz"), "t": [0, 1, 0], "y": [1, 0, 1]})


def spec(**options: object) -> RunSpec:
    return RunSpec.from_options(dataset="own", **options)


def test_columns_that_are_no_features_are_taken_away() -> None:
    raw = raw_table(FRAME, None, spec(target="y", truth="t", dataset_options={"drop": "b"}))
    assert raw is not None
    assert list(raw.frame) == ["a"]
    assert list(raw.whole) == list(FRAME)
    assert (raw.target, raw.labels.tolist()) == ("y", [1, 0, 1])


@pytest.mark.parametrize(
    ("data", "columns"),
    [
        ((np.zeros((3, 2)), [0, 1, 0]), ["0", "1"]),
        ((["how much", "where is it", "when"], [0, 1, 0]), ["text"]),
        (({"a": [1, 2, 3]}, [0, 1, 0]), ["a"]),
    ],
)
def test_whatever_becomes_a_table_is_one(
    data: tuple[object, list[int]], columns: list[str]
) -> None:
    raw = raw_table(*data, spec())
    assert raw is not None
    assert (list(raw.frame), raw.target) == (columns, None)


def test_images_and_named_arrays_are_no_table() -> None:
    assert raw_table(np.zeros((3, 8, 8)), [0, 1, 0], spec()) is None
    assert raw_table(None, None, RunSpec(dataset="digits")) is None


def test_what_a_run_refuses_is_no_table() -> None:
    for twice in (["a", "b", "y", "y"], ["a", "a", "t", "y"], ["a", "b", "t", "z"]):
        assert raw_table(FRAME.set_axis(twice, axis=1), None, spec(target="y")) is None


def test_labels_that_a_run_refuses_are_coded_too() -> None:
    codes, names = coded([1, "a", 1, None])
    assert (codes.tolist(), names) == ([0, 1, 0, -1], ["1", "a"])
    assert coded(["b", None, "a"])[0].tolist() == [1, -1, 0]


def test_a_dataset_gives_its_columns_as_they_were_given() -> None:
    assert list(feature_frame(load(FRAME, target="y"))["b"]) == list("xyz")
    assert list(feature_frame(load(np.eye(3), [0, 1, 0]))) == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("target", "text", "classes"),
    [
        ("y", "a;y\n1,5;1,5\n2,5;2\n3,5;1,5\n", ["1,5", "2"]),
        ("last", "a,y\n1,nan\n2,oak\n3,nan\n", ["nan", "oak"]),
    ],
)
def test_labels_of_a_file_are_those_of_a_run(
    tmp_path: Path, target: str, text: str, classes: list[str]
) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text)
    raw = raw_table(path, None, RunSpec(dataset=str(path), target=target))
    assert raw is not None
    assert (raw.target, list(raw.frame)) == ("y", ["a"])
    codes, names = coded(raw.labels)
    dataset = load(path, target=target)
    assert names == list(dataset.class_values) == classes
    assert codes.tolist() == dataset.labels.tolist() == [0, 1, 0]
