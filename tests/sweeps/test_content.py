"""Data that changed are other data, wherever they lie."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from hcat_nb.errors import MissingDataError
from hcat_nb.sweeps._content import content_of, forget
from hcat_nb.sweeps.grid import read_plan


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for name, size in (("cat/a.png", 10), ("cat/deep/b.png", 20), ("dog/a.png", 10)):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size)
    return tmp_path / "photos"


def _now(path: Path) -> str:
    forget()
    return content_of(path)


def _hide(root: Path) -> None:
    (root / ".thumbs").mkdir()
    (root / ".thumbs" / "a.png").touch()
    (root / "cat" / ".DS_Store").touch()


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "dog" / "a.png").rename(root / "cat" / "c.png"),  # relabelled
        lambda root: (root / "dog" / "a.png").unlink(),
        lambda root: (root / "dog" / "b.png").touch(),
        lambda root: (root / "dog" / "a.png").write_bytes(b"another"),
    ],
    ids=["moved", "removed", "added", "saved anew"],
)
def test_a_folder_that_changed_is_another(photos: Path, change: Callable[[Path], object]) -> None:
    before = _now(photos)
    change(photos)
    assert _now(photos) != before


def test_a_copy_and_what_is_hidden_change_nothing(photos: Path, tmp_path: Path) -> None:
    before = _now(photos)
    copy = Path(shutil.copytree(photos, tmp_path / "elsewhere"))
    for path in copy.rglob("*.png"):
        os.utime(path, (1, 1))
    _hide(copy)
    assert _now(copy) == before


def test_a_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_text("a,label\n1,x\n")
    before = _now(file)
    os.utime(file, (1, 1))
    assert content_of(file) == before
    file.write_text("a,label\n2,x\n")
    assert _now(file) != before


def test_what_is_absent_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        MissingDataError, match="absent is absent; expected a table, an array or images"
    ):
        content_of(tmp_path / "absent")


@pytest.mark.parametrize("by_option", [False, True], ids=["as the dataset", "as an option"])
def test_runs_on_a_folder_that_changed_are_other_runs(photos: Path, by_option: bool) -> None:
    options = {"dataset": "folder", "dataset_options": {"path": str(photos)}}
    source = options if by_option else {"dataset": str(photos)}
    (before,) = read_plan([source]).cells
    (photos / "dog" / "a.png").rename(photos / "cat" / "c.png")
    (after,) = read_plan([source]).cells
    assert after.address != before.address


def test_a_folder_that_is_absent_is_told_before_any_run(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="nowhere is absent"):
        read_plan([{"dataset": f"{tmp_path}/nowhere"}])


def test_the_parts_of_a_table_are_read_as_a_folder_and_as_a_pattern(tmp_path: Path) -> None:
    for part in "ab":
        (tmp_path / f"{part}.csv").write_text("x,y\n1,p\n2,q\n")
    places = (tmp_path, tmp_path / "*.csv")
    before = [_now(place) for place in places]
    assert len(set(before)) == 1
    (tmp_path / "b.csv").write_text("x,y\n1,q\n2,q\n")  # as long as before
    assert all(_now(place) != one for place, one in zip(places, before, strict=True))
    with pytest.raises(MissingDataError):
        content_of(tmp_path / "*.parquet")
