"""Tests of what keeps each k-th row of a table that is too large."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hcat_nb.checks.thinning import thinned
from hcat_nb.data.files.compressed import read_bytes, write_bytes
from hcat_nb.data.files.table_files import read_frame
from hcat_nb.data.table_options import TableOptions
from hcat_nb.errors import DataError

N = 5000
WIDTH = 8  # bytes of a number


def written(frame: pd.DataFrame, path: Path) -> Path:
    """Write a table as its path says, packed ones too."""
    inner = path.with_suffix("") if path.suffix in (".gz", ".zip", ".zst", ".xz") else path
    if inner.suffix in (".jsonl", ".json"):
        frame.to_json(inner, orient="records", lines=inner.suffix == ".jsonl")
    elif inner.suffix == ".arff":
        head = [
            "% caf\xe9",
            "@relation t",
            *(f"@attribute {name} numeric" for name in frame),
            "@DATA",
        ]
        rows = frame.to_csv(index=False, header=False).splitlines()
        inner.write_text("\n".join([*head, "% none", "", *rows, ""]), encoding="utf-8")
    else:
        kind = {".csv": "csv", ".parquet": "parquet", ".xlsx": "excel"}[inner.suffix]
        getattr(frame, f"to_{kind}")(inner, index=False)
    if inner != path:
        write_bytes(path, inner.read_bytes(), path.suffix, inner.name)
        inner.unlink()
    return path


@pytest.mark.parametrize(
    "name",
    [
        *("t.csv", "t.CSV", "t.csv.gz", "t.csv.zip", "t.csv.zst", "t.jsonl", "t.jsonl.xz"),
        *("t.json", "t.json.gz", "t.arff", "t.arff.xz"),
    ],
)
def test_of_a_large_text_each_kth_row_is_kept(tmp_path: Path, name: str) -> None:
    frame = pd.DataFrame({"a": np.arange(N)})
    path = written(frame, tmp_path / name.lower()).rename(tmp_path / name)
    size = len(read_bytes(path))
    with thinned(path, size // 4 + 1) as (part, step):
        assert step == 4
        assert read_frame(part)["a"].tolist() == list(range(0, N, 4))
        assert Path(part).name == ".".join(name.lower().split(".")[:2])
    with thinned(path, 10**9) as (same, step):
        assert (same, step) == (str(path), 1)


@pytest.mark.parametrize("kind", ["parquet", "csv", "csv.gz", "jsonl", "json"])
@pytest.mark.parametrize("pattern", [True, False])
def test_of_shards_each_kth_row_of_all_is_kept(tmp_path: Path, kind: str, pattern: bool) -> None:
    place = tmp_path / "birds"
    place.mkdir()
    frame = pd.DataFrame({"a": np.arange(200)})
    cuts = [0, 90, 93, 94, 180, 200]
    parts = [
        written(frame[one:two], place / f"{at}.{kind}")
        for at, (one, two) in enumerate(pairwise(cuts))
    ]
    size = WIDTH * 200 if kind == "parquet" else sum(len(read_bytes(one)) for one in parts)
    if kind == "parquet":
        import pyarrow.parquet as pq

        size = sum(
            max(WIDTH * cut, pq.read_metadata(one).row_group(0).total_byte_size)
            for one, cut in zip(parts, np.diff(cuts), strict=True)
        )
    with thinned(place / f"*.{kind}" if pattern else place, size // 7 + 1) as (part, step):
        assert step == 7
        assert read_frame(part)["a"].tolist() == list(range(0, 200, 7))
        assert Path(part).parent.name == "birds"


def test_a_large_workbook_is_read_in_part(tmp_path: Path) -> None:
    import zipfile

    frame = pd.DataFrame({"a": np.arange(N), "word": [f"w{row}" for row in range(N)]})
    path = written(frame, tmp_path / "t.xlsx")
    with zipfile.ZipFile(path) as book:
        most = sum(one.file_size for one in book.infolist()) // 5 + 1
    for header in (None, "none", 0):
        options = TableOptions(header=header)
        with thinned(path, most, options) as (part, step):
            assert step == 5
            kept = read_frame(part, options)
        whole = read_frame(path, options)
        pd.testing.assert_frame_equal(kept, whole[::5].reset_index(drop=True))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_of_a_large_text_whole_rows_are_kept(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "t.csv"
    frame = pd.DataFrame({"a": np.arange(400), "t": [f"two\nlines, {row}" for row in range(400)]})
    frame.to_csv(path, index=False, encoding=encoding)
    with thinned(path, path.stat().st_size // 4 + 1) as (part, step):
        read = pd.read_csv(part, encoding=encoding)
    pd.testing.assert_frame_equal(read, frame[::step].reset_index(drop=True))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("name", ["t.json", "t.jsonl"])
@pytest.mark.parametrize("indent", [None, 2])
def test_of_large_json_whole_records_are_kept(
    tmp_path: Path, encoding: str, name: str, indent: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hcat_nb.checks.thinning._BLOCK", 1000)  # records that lie in two blocks
    rows = [{"a": row, "t": f'caf\xe9, [{{two}}]\nlines \\" {row}'} for row in range(400)]
    path = tmp_path / name
    lines = name.endswith("l") and not indent
    text = "\n".join(json.dumps(one, ensure_ascii=False) for one in rows)
    path.write_text(text if lines else json.dumps(rows, indent=indent), encoding=encoding)
    path = path if name.endswith("l") == lines else path.rename(tmp_path / "t.json")
    with thinned(path, path.stat().st_size // 4 + 1) as (part, step):
        assert step == 4
        assert read_frame(part).to_dict("records") == rows[::4]


def test_json_that_is_no_list_of_records_stays_whole_and_a_cut_one_is_told(tmp_path: Path) -> None:
    columns, cut = tmp_path / "columns.json", tmp_path / "cut.json"
    pd.DataFrame({"a": range(400)}).to_json(columns)
    with thinned(columns, 100) as (part, step):
        assert (part, step) == (str(columns), 1)
    cut.write_text(pd.DataFrame({"a": range(400)}).to_json(orient="records")[:-5])
    with thinned(cut, 100) as (part, step):
        assert step > 1
        with pytest.raises(DataError, match="cannot be read"):
            read_frame(part)


def test_a_line_above_the_names_stays(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    head = "# caf\xe9 au lait\na b\n".encode("latin-1")
    path.write_bytes(head + b"1 2\n3 4\n5 6\n7 8\n" * 20)
    most = path.stat().st_size // 2 + 1
    with thinned(path, most) as (part, _):
        assert Path(part).read_bytes().startswith(head + b"1 2\n5 6\n")
    wrong = TableOptions(encoding="utf-8")
    with pytest.raises(DataError, match="as utf-8"), thinned(path, most, wrong):
        pass


@pytest.mark.parametrize("name", ["t.parquet", "t.csv.gz", "t.xlsx"])
def test_what_is_no_such_file_is_left_to_reading(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"nothing of the kind")
    with thinned(path, 1) as (same, step):
        assert (same, step) == (str(path), 1)
