from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hcat_nb.checks.raw import coded, feature_frame, raw_table, thinned
from hcat_nb.data.loading import load
from hcat_nb.data.table_options import TableOptions
from hcat_nb.errors import DataError
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


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_of_a_large_file_each_kth_row_is_kept(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t.{suffix}"
    frame = pd.DataFrame({"a": np.arange(5000)})
    getattr(frame, f"to_{suffix}")(path, index=False)
    with thinned(path, path.stat().st_size // 4 + 1) as (part, step):
        read = pd.read_csv(part) if suffix == "csv" else pd.read_parquet(part)
        assert step == 4
    assert read["a"].tolist() == list(range(3 if suffix == "csv" else 0, 5000, 4))
    with thinned(path, 10**9) as (same, step):
        assert (same, step) == (path, 1)


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
    codes, names = coded(raw.labels, words=raw.words)
    dataset = load(path, target=target)
    assert names == list(dataset.class_values) == classes
    assert codes.tolist() == dataset.labels.tolist() == [0, 1, 0]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_of_a_large_text_whole_rows_are_kept(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "t.csv"
    frame = pd.DataFrame({"a": np.arange(400), "t": [f"two\nlines, {row}" for row in range(400)]})
    frame.to_csv(path, index=False, encoding=encoding)
    with thinned(path, path.stat().st_size // 4 + 1) as (part, step):
        read = pd.read_csv(part, encoding=encoding)
    pd.testing.assert_frame_equal(read, frame[step - 1 :: step].reset_index(drop=True))


def test_a_line_above_the_names_stays(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    head = "# caf\xe9 au lait\na b\n".encode("latin-1")
    path.write_bytes(head + b"1 2\n3 4\n5 6\n7 8\n" * 20)
    most = path.stat().st_size // 2 + 1
    with thinned(path, most) as (part, _):
        assert part.read_bytes().startswith(head + b"3 4\n7 8\n")
    wrong = TableOptions(encoding="utf-8")
    with pytest.raises(DataError, match="as utf-8"), thinned(path, most, wrong):
        pass
