"""Bytes of packed files."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from hcat_nb.data.files.compressed import read_bytes, write_bytes
from hcat_nb.errors import DataError


@pytest.mark.parametrize("kind", ["", ".gz", ".bz2", ".xz", ".zip", ".zst"])
def test_what_was_written_is_read_again(tmp_path: Path, kind: str) -> None:
    file = tmp_path / f"t.csv{kind}"
    write_bytes(file, b"a,b\n1,2\n", kind, "t.csv")
    assert (read_bytes(file), read_bytes(file, 3)) == (b"a,b\n1,2\n", b"a,b")
    assert kind == "" or file.read_bytes() != b"a,b\n1,2\n"


def test_an_archive_of_several_files_is_refused_but_for_what_systems_add(tmp_path: Path) -> None:
    file = tmp_path / "t.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("t.csv", "a")
        archive.writestr("__MACOSX/._t.csv", "x")
    assert read_bytes(file) == b"a"
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("u.csv", "b")
    with pytest.raises(DataError, match="holds 2 files"):
        read_bytes(file)
