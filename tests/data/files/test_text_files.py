"""Text with separators."""

from __future__ import annotations

from pathlib import Path

import pytest

from hcat_nb.data.files.text_files import read_text
from hcat_nb.data.table_options import TableOptions
from hcat_nb.errors import DataError


def test_frame_notes_and_missing_words_come_together(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("x;n;k;y\n1,5;NA;7;1,5\n2,25;3;?;2,5\n1.000,5;4;8;1,5\n")
    frame, notes, missing, (dialect,) = read_text(file, ".csv", TableOptions(missing="?"), {"y"})
    assert frame.x.tolist() == [1.5, 2.25, 1000.5]
    assert frame.y.tolist() == ["1,5", "2,5", "1,5"]
    assert missing == {"k": {"?": 1}, "n": {"NA": 1}}
    assert notes[1:] == ("decimal sign ',', thousands sign '.': x",)
    assert dialect.sep == ";"


def test_a_letter_far_down_decides_the_encoding(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    rows = "".join(f"{row},word\n" for row in range(200_000))
    file.write_bytes(f"a,b\n{rows}1,Z\u00fcrich\n".encode("latin-1"))
    frame, notes, _, _ = read_text(file, ".csv", TableOptions(), set())
    assert frame.b.iloc[-1] == "Z\u00fcrich"
    assert notes == ("found in the file: encoding latin-1",)


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zip", ".zst"])
def test_packed_files_are_unpacked(tmp_path: Path, suffix: str) -> None:
    from hcat_nb.data.files.compressed import write_bytes

    file = tmp_path / f"t.csv{suffix}"
    write_bytes(file, b"a,b\n1,x\n2,y\n", suffix, "t.csv")
    assert read_text(file, ".csv", TableOptions(), set())[0].a.tolist() == [1, 2]


def test_rows_with_more_fields_than_names_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("a,b\n1,2,3\n4,5,6\n")
    with pytest.raises(DataError, match="more fields than its header"):
        read_text(file, ".csv", TableOptions(), set())
