"""Files written again with other labels; their bytes but for these are the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from hcat_nb.data.files.mending import DROP, mend_files, mend_images
from hcat_nb.data.files.table_files import read_file
from hcat_nb.data.reading.labels import code_labels
from hcat_nb.data.table_options import TableOptions

TABLE = pd.DataFrame({"x": [1.5, 2.25, 3.0, 4.5], "cls": ["p", "q", "q", "p"], "t": list("abcd")})
WRITERS: dict[str, Callable[[Path], Any]] = {
    "t.csv": lambda path: TABLE.to_csv(path, index=False),
    "semi.csv": lambda path: TABLE.to_csv(path, index=False, sep=";", decimal=","),
    "dos.csv": lambda path: TABLE.to_csv(path, index=False, lineterminator="\r\n"),
    "quoted.csv": lambda path: TABLE.to_csv(path, index=False, quoting=1),
    "index.csv": lambda path: TABLE.to_csv(path),
    "bom.csv": lambda path: TABLE.to_csv(path, index=False, encoding="utf-8-sig"),
    "wide.csv": lambda path: TABLE.to_csv(path, index=False, encoding="utf-16"),
    "t.tsv": lambda path: TABLE.to_csv(path, index=False, sep="\t"),
    "t.csv.gz": lambda path: TABLE.to_csv(path, index=False),
    "t.json": lambda path: TABLE.to_json(path, orient="records", indent=2),
    "t.jsonl": lambda path: TABLE.to_json(path, orient="records", lines=True),
    "t.parquet": lambda path: TABLE.assign(cls=pd.Categorical(TABLE.cls)).to_parquet(path),
    "t.xlsx": lambda path: TABLE.to_excel(path, index=False),
}


def mend(path: Path, changes: dict[int, Any], **options: Any) -> Path:
    read = read_file(path, TableOptions(**options), words=("cls",))
    coded = code_labels(read.frame["cls"])
    out = path.with_name(f"mended_{path.name}")
    mend_files(read, "cls", coded.codes.tolist(), changes, out)
    return out


@pytest.mark.parametrize("name", WRITERS)
def test_each_format_changes_that_cell_only(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    WRITERS[name](path)
    assert mend(path, {}).read_bytes() == path.read_bytes()
    out = mend(path, {1: (0, "p")})
    before, after = read_file(path).frame, read_file(out).frame
    before["cls"] = before["cls"].mask(before["t"] == "b", "p")
    pd.testing.assert_frame_equal(before, after)
    if name.endswith((".csv", ".tsv", ".json", ".jsonl")):
        code = "utf-16" if name == "wide.csv" else "utf-8"
        pairs = zip(path.read_bytes().decode(code), out.read_bytes().decode(code), strict=True)
        assert [pair for pair in pairs if pair[0] != pair[1]] == [("q", "p")]


@pytest.mark.parametrize("name", WRITERS)
def test_each_format_leaves_rows_and_labels_out(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    WRITERS[name](path)
    after = read_file(mend(path, {0: DROP, 3: None})).frame
    assert after["t"].tolist() == ["b", "c", "d"]
    assert after["cls"].isna().tolist() == [False, False, True]


def test_parquet_keeps_its_schema(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    table = pq.read_table(WRITERS["t.parquet"](path) or path)
    table = table.replace_schema_metadata({**table.schema.metadata, b"mine": b"kept"})
    pq.write_table(table, path, compression="zstd")
    out = mend(path, {1: (0, "p")})
    assert pq.read_schema(out).equals(table.schema, check_metadata=True)
    assert pq.read_metadata(out).row_group(0).column(0).compression == "ZSTD"


def test_images_move_to_their_class_in_a_copy(tmp_path: Path) -> None:
    names = ["cat/1.png", "cat/2.png", "dog/1.png", "dog/deep/3.png"]
    for name in names:
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_text(name)
    labels = [name.partition("/")[0] for name in names]
    changes = {0: (1, "dog"), 1: DROP, 3: None}
    mend_images(tmp_path / "in", names, labels, changes, tmp_path / "out")
    out = {
        path.relative_to(tmp_path / "out").as_posix(): path.read_text()
        for path in (tmp_path / "out").rglob("*.png")
    }
    assert out == {"dog/1_from_cat.png": "cat/1.png", "dog/1.png": "dog/1.png"}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_the_first_column_behind_a_mark_of_the_encoding(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "t.csv"
    TABLE[["cls", "x", "t"]].to_csv(path, index=False, encoding=encoding)
    out = mend(path, {1: (0, "p")})
    before, after = (one.read_bytes().decode(encoding) for one in (path, out))
    assert after == before.replace("q,2.25", "p,2.25")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_json_behind_a_mark_of_the_encoding(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "t.jsonl"
    lines = ['{"t":"\xe9","cls":"p"}\n', '{"t":"b","cls":"q"}\n']
    path.write_text("".join(lines), encoding=encoding)
    assert mend(path, {1: (0, "p")}).read_text(encoding) == lines[0] + lines[1].replace("q", "p")
