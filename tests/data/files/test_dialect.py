"""How a file of text is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from hcat_nb.data.files.dialect import SPACE, Dialect, find_dialect, guess_encoding, records
from hcat_nb.data.table_options import TableOptions
from hcat_nb.errors import DataError

FILE = Path("t.csv")


def found(text: str | bytes, kind: str = ".csv", **options: object) -> Dialect:
    content = text if isinstance(text, bytes) else text.encode()
    return find_dialect(FILE, content, kind, TableOptions(**options))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "kind", "sep"),
    [
        ("a,b\n1,2\n3,4\n", ".csv", ","),
        ("a;b;c\n1,5;2,5;x\n3,5;4;y\n", ".csv", ";"),
        ("a;b\n1,25;x\n2,5;y\n", ".csv", ";"),
        ("a\tb\nhello, you\tx\nbye, me\ty\n", ".csv", "\t"),
        ("a|b\n1|x\n2|y\n", ".txt", "|"),
        ("5.1 3.5  1\n4.9 3.0  2\n", ".data", SPACE),
        ("a\tb c\n1\thello world\n2\tgood bye\n", ".txt", "\t"),
        ('text,cls\n"a; b; c",x\n"d; e; f",y\n', ".csv", ","),
        ("this is 1, ok;1.100,0;a\nthis is 2, ok;1.200,0;b\n", ".csv", ";"),
        ("sep=;\na;b\n1;2\n", ".csv", ";"),
        ("a\n1\n2\n", ".csv", ","),
    ],
)
def test_the_separator_gives_all_lines_as_many_fields(text: str, kind: str, sep: str) -> None:
    assert found(text, kind, header="first").sep == sep


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("latin-1", "latin-1"),
        ("cp1252", "cp1252"),
    ],
)
def test_the_encoding_is_found(encoding: str, name: str) -> None:
    word = "Z\u00fcrich \u2013 x" if encoding == "cp1252" else "Z\u00fcrich"
    dialect = found(f"city,cls\n{word},x\nBern,y\n".encode(encoding))
    assert dialect.encoding == name
    told = dialect.notes(TableOptions(), ",")
    assert told == ([] if name == "utf-8" else [f"found in the file: encoding {name}"])


def test_a_text_in_other_letters_is_no_latin() -> None:
    with pytest.raises(DataError, match=r"nor as .*encoding="):
        guess_encoding(FILE, "\u65e5\u672c\u8a9e,\u6587\u5b57".encode("shift_jis"))


@pytest.mark.parametrize(
    ("text", "skip"),
    [
        ("# made by me\n# 2021, v2\n\na,cls\n1,x\n2,y\n", 3),
        ("% note\na,cls\n1,x\n2,y\n", 1),
        ("#,size,cls\n1,2.5,x\n2,3.5,y\n3,1.5,x\n", 0),
        ("# about\n#id,size,cls\n1,2.5,x\n1,3.5,y\n3,1.5,x\n", 1),
        ("a,cls\n#1,x\n#2,y\n", 0),
    ],
)
def test_comments_above_a_header_are_left_out(text: str, skip: int) -> None:
    assert found(text).skip == skip


@pytest.mark.parametrize(
    "text",
    [
        "5.1,3.5,setosa\n4.9,3.0,setosa\n6.0,3.1,virginica\n",
        "5,3,1\n4,3,1\n7,3,2\n6,3,2\n",
        "1,nice film,pos\n2,bad film,neg\n3,fine film,pos\n4,well,pos\n",
        "nice film,pos\nbad film,neg\nfine film,pos\n",
        "39, State-gov,77516, <=50K\n50, Private,83311, <=50K\n39, State-gov,1, >50K\n",
        "2,0,3,4,7\n0,0,0,0,1\n2,0,3,4,7\n",
        "1,25;2,5;setosa\n1,5;2,5;setosa\n1,75;2;virginica\n",
    ],
)
def test_a_header_that_looks_like_data_is_refused(text: str) -> None:
    with pytest.raises(DataError, match=r"looks like data.*header='none'.*header='first'"):
        found(text)
    assert not found(text, header="none").header
    assert found(text, header="first").header


@pytest.mark.parametrize(
    "text",
    [
        "0,1,2,y\n0,1,2,a\n0,1,2,b\n0,1,2,a\n",
        "country,1990,2000,2010\nA,1.5,2,3\nB,2,3,4\nC,1,1,1\n",
        "400.0,402.5,405.0,cls\n.1,.2,.3,a\n.4,.5,.6,b\n.1,.2,.3,a\n",
        "a,cls\n1,x\n2,y\n3,x\n",
        "male,cls,age\nmale,x,1\nfemale,y,2\nmale,y,3\n",
    ],
)
def test_names_that_are_numbers_or_words_below_may_be_names(text: str) -> None:
    assert found(text).header


def test_a_header_that_comes_again_is_named() -> None:
    with pytest.raises(DataError, match=r"row 2 of t.csv repeats the header"):
        found("a,cls\n1,x\na,cls\n2,y\n")


def test_the_line_of_the_header_may_be_told() -> None:
    assert found("Report\n\na,cls\n1,x\n2,y\n", header=2).skip == 2


def test_records_are_those_of_the_standard_library() -> None:
    text = 'a;"b\n c"\r\n\r\n1;2\r\n'
    assert records(text, Dialect(";", "utf-8", '"', 0, True)) == [["a", "b\n c"], ["1", "2"]]
    assert records(" 1  2\n", Dialect(SPACE, "utf-8", '"', 0, True)) == [["1", "2"]]
    assert records('a,"b\n', Dialect(",", "utf-8", "", 0, True)) == [["a", '"b']]
