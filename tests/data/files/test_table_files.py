"""Tables in files."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from hcat_nb.data.files.table_files import read_frame
from hcat_nb.data.table_options import TableOptions
from hcat_nb.errors import DataError, MissingDataError

TABLE = pd.DataFrame({"a": [1, 2], "when": ["2020-01-01", "x"], "y": ["p", "q"]})


@pytest.mark.parametrize(
    "name", ["t.csv", "t.CSV", "t.csv.gz", "t.tsv", "t.parquet", "t.json", "t.jsonl", "t.ndjson.gz"]
)
def test_each_format_gives_the_table(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if "json" in name:
        TABLE.to_json(
            path, orient="records", lines=(".json." not in name and "nd" in name) or "jsonl" in name
        )
    elif "parquet" in name:
        TABLE.to_parquet(path)
    else:
        TABLE.to_csv(path, index=False, sep="\t" if "tsv" in name else ",")
    pd.testing.assert_frame_equal(read_frame(path), TABLE, check_dtype=False)


def test_records_by_line_under_the_plain_suffix(tmp_path: Path) -> None:
    TABLE.to_json(tmp_path / "t.json", orient="records", lines=True)
    assert read_frame(tmp_path / "t.json").a.tolist() == [1, 2]


def test_the_index_that_pandas_writes_is_the_index(tmp_path: Path) -> None:
    TABLE.set_axis(["r", "s"]).to_csv(tmp_path / "t.csv")
    frame = read_frame(tmp_path / "t.csv")
    assert list(frame.index) == ["r", "s"]
    assert list(frame.columns) == ["a", "when", "y"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", b"", "cannot be read .*No columns"),
        ("t.csv", b"a,b\n", "holds no row"),
        ("t.csv", b"a,b\n1,2\n1,2,3\n", "cannot be read .*line 3"),
        ("t.csv", b"a,b\n1,2,3\n4,5,6\n", "more fields than its header"),
        ("t.csv", "\u65e5\u672c,\u8a9e\n1,2\n".encode("shift_jis"), "as UTF-8.*shift_jis"),
        ("t.csv", b"a,cls,cls\n1,x,x\n", "several columns called 'cls'.*first line"),
        ("t.tsv", b"a\ta\tb\n1\t2\t3\n", "several columns called 'a'"),
        ("t.parquet", b"PAR1 no", "cannot be read"),
        ("t.json", b'{"a": [1, 2', "cannot be read"),
        ("t.jsonl", b'{"a": 1}\n{"a":\n', "cannot be read"),
        ("t.csv.gz", b"no gzip", "cannot be read"),
        ("t.xlsx", b"no zip", "cannot be read"),
        ("t.pkl", b"", "ends in '.pkl'; expected .csv.*; to mend it: save it as CSV"),
    ],
)
def test_a_broken_file_is_told_in_one_line(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read_frame(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_an_absent_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match=r"no.csv does not exist"):
        read_frame(tmp_path / "no.csv")
    (tmp_path / "d.csv").mkdir()
    with pytest.raises(MissingDataError, match=r"d.csv holds no file of a table"):
        read_frame(tmp_path / "d.csv")


def test_other_separators_and_encodings(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes("a;b\n1;Z\u00fcrich\n".encode("latin-1"))
    options = TableOptions(sep=";", encoding="latin-1")
    assert read_frame(tmp_path / "t.csv", options).b.tolist() == ["Z\u00fcrich"]
    with pytest.raises(DataError, match=r"cannot be read as utf-8 .*leave encoding= out"):
        read_frame(tmp_path / "t.csv", TableOptions(encoding="utf-8"))
    with pytest.raises(DataError, match=r"has one column, 'a;b'.*sep=';'"):
        read_frame(tmp_path / "t.csv", TableOptions(sep=","))
