"""Tables in files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from hcat_nb.data.files.table_files import read_file, read_frame
from hcat_nb.data.table_options import TableOptions
from hcat_nb.errors import DataError, HcatError, MissingDataError
from hcat_nb.registry import TABLE_SUFFIXES

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


@pytest.mark.parametrize("suffix", sorted(TABLE_SUFFIXES))
@pytest.mark.parametrize(
    "content", [b"\x00\xff\x81 no table", b"[1, 2", b"PK\x03\x04", b"@relation x"]
)
def test_what_no_parser_reads_is_told_with_what_to_do(
    tmp_path: Path, suffix: str, content: bytes
) -> None:
    path = tmp_path / f"t{suffix}"
    path.write_bytes(content)
    told = ""
    try:  # two of them are a table, for some
        read_file(path)
    except HcatError as error:
        told = str(error)
    assert told == "" or str(path) in told
    assert "None" not in told


@pytest.mark.parametrize(
    ("name", "error"), [("t.json", RecursionError("too deep")), ("t.parquet", TypeError())]
)
def test_any_error_of_a_parser_is_one_of_the_data(
    tmp_path: Path, name: str, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    (tmp_path / name).write_text("[]")
    monkeypatch.setattr(pd, f"read_{name[2:]}", fail)
    with pytest.raises(DataError, match=str(error) or "TypeError") as told:
        read_file(tmp_path / name)
    assert told.value.remedy


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_json_and_arff_are_in_the_encoding_that_they_tell(tmp_path: Path, encoding: str) -> None:
    options = TableOptions(encoding=encoding if encoding == "cp1252" else None)
    (tmp_path / "t.json").write_text('[{"a": "\xe9"}, {"a": "o"}]', encoding=encoding)
    assert read_frame(tmp_path / "t.json", options)["a"].tolist() == ["\xe9", "o"]
    text = "% \xe9\n@relation r\n@attribute a numeric\n@data\n1\n2\n"
    (tmp_path / "t.arff").write_text(text, encoding=encoding)
    assert read_frame(tmp_path / "t.arff", options)["a"].tolist() == [1, 2]


def test_words_of_arff_that_are_not_ascii_are_told(tmp_path: Path) -> None:
    path = tmp_path / "t.arff"
    path.write_text("@relation r\n@attribute a {\xe9,o}\n@data\n\xe9\no\n", encoding="utf-8")
    with pytest.raises(DataError, match="of ASCII; to mend it: save it as CSV"):
        read_file(path)
