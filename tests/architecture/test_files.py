"""What holds for each file of the project."""

from __future__ import annotations

import re
from pathlib import Path

CAP = 400
TEXT = {".py", ".pyi", ".js", ".css", ".md", ".toml", ".json", ".yml", ".ipynb", ".html", ""}

# The pattern is split so that it does not find itself.
MACHINE_PATH = re.compile(
    r"(?<![\w.~/-])/(?:" + "|".join(["work", "root", "home", "Users"]) + r")/"
)


def _text_files(project_files: list[Path]) -> list[Path]:
    return [path for path in project_files if path.suffix in TEXT]


def test_no_source_file_holds_two_subjects(project_files: list[Path]) -> None:
    sources = [path for path in project_files if path.suffix in {".py", ".js"}]
    lengths = {path.name: len(path.read_text().splitlines()) for path in sources}
    assert lengths
    assert not {name: length for name, length in lengths.items() if length > CAP}


def test_no_file_names_a_path_of_one_machine(project_files: list[Path]) -> None:
    named = {
        path.name: found.group()
        for path in _text_files(project_files)
        if (found := MACHINE_PATH.search(path.read_text()))
    }
    assert not named


def test_no_module_is_called_utils(project_files: list[Path]) -> None:
    assert not [path for path in project_files if path.stem.strip("_") in {"utils", "util"}]


def test_pictures_stay_small(project_files: list[Path]) -> None:
    pictures = [path for path in project_files if path.suffix in {".png", ".gif", ".jpg"}]
    assert not [path.name for path in pictures if path.stat().st_size > 150_000]
