"""What stands in a folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from hcat_nb.errors import StoreError
from hcat_nb.runs.store.checkpoint import (
    CHECKPOINT,
    INDEX,
    SCHEMA_VERSION,
    is_ours,
    last_good,
    progress_words,
    read_index,
    unfinished,
)


def write(folder, text: str) -> None:
    (folder / CHECKPOINT).mkdir(exist_ok=True)
    (folder / CHECKPOINT / INDEX).write_text(text)


def test_it_is_read_if_it_is_there(tmp_path):
    assert read_index(tmp_path) is None
    assert unfinished(tmp_path) is None
    for outcome, open_ in ((None, True), ("finished", False)):
        index = {"schema_version": SCHEMA_VERSION, "outcome": outcome}
        write(tmp_path, json.dumps(index))
        assert read_index(tmp_path) == index
        assert (unfinished(tmp_path) is not None) == open_


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"schema', "cannot be read"),
        ("[]", "cannot be read"),
        ('{"schema_version": 99}', "has the schema 99; expected at most 1"),
    ],
)
def test_a_damaged_one_is_named(text, message, tmp_path):
    write(tmp_path, text)
    with pytest.raises(StoreError, match=message):
        read_index(tmp_path)


INTERRUPTED = Path(__file__).parents[2] / "contract/saved/bc134c2/interrupted"
KEYS = sorted(json.loads((INTERRUPTED / CHECKPOINT / INDEX).read_bytes()).keys() - {"epochs"})


@pytest.mark.parametrize("value", ["gone", {"a": [1]}, 0.5, [None], [{"epoch": []}]], ids=str)
@pytest.mark.parametrize("key", KEYS)
def test_one_that_lacks_something_is_refused_by_its_name(key, value, tmp_path):
    folder = Path(shutil.copytree(INTERRUPTED, tmp_path / "run"))
    assert last_good(folder)["epoch"] > 0
    path = folder / CHECKPOINT / INDEX
    index = json.loads(path.read_bytes())
    index.pop(key) if value == "gone" else index.update({key: value})
    path.write_text(json.dumps(index))
    kept = {"seconds": 0.5, "spec": {"a": [1]}, "environment": {"a": [1]}, "model": {"a": [1]}}
    if kept.get(key) == value or (key == "classes" and isinstance(value, list)):
        assert last_good(folder) == index  # of this kind it may be
    else:
        with pytest.raises(StoreError, match=rf"checkpoint\.json .*({key}|names the file)"):
            last_good(folder)


def test_a_folder_of_somebody_elses_checkpoints_is_not_ours(tmp_path):
    place = tmp_path / CHECKPOINT
    place.mkdir()
    assert is_ours(tmp_path)
    (place / ".draft-12345678").touch()
    assert is_ours(tmp_path)  # killed before the first one was there
    (place / "model.safetensors").touch()
    assert not is_ours(tmp_path)
    write(tmp_path, "{}")
    assert is_ours(tmp_path)
    (tmp_path / "notes.txt").touch()
    assert not is_ours(tmp_path)


def test_progress_in_words():
    index = {"epoch": 3, "seed": 1, "spec": {"epochs": 10, "seeds": 1}}
    assert progress_words(index) == "epoch 3 of 10"
    index["spec"]["seeds"] = 4
    assert progress_words(index) == "seed 2 of 4, epoch 3 of 10"


@pytest.mark.parametrize(
    "names",
    [
        {"epoch_files": ["../../mine.txt"]},
        {"epoch_files": ["/etc/hosts"]},
        {"epoch_files": ["epoch_0001.parquet", "notes.parquet"]},
        {"epoch_files": [3]},
        {"files": ["../small-0-1.safetensors"]},
        {"files": ["..\\x.safetensors"]},
        {"files": [".safetensors"]},
        {"files": ["small-0-1.pt"]},
    ],
)
def test_names_that_lead_elsewhere_are_refused(names, tmp_path):
    write(tmp_path, json.dumps({"schema_version": SCHEMA_VERSION, "outcome": None, **names}))
    with pytest.raises(StoreError, match=r"names the file .*expected the names that a run gives"):
        read_index(tmp_path)


def test_links_are_refused(tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    index = {"schema_version": SCHEMA_VERSION, "outcome": None, "files": ["a.safetensors"]}
    index["epoch_files"] = ["epoch_0001.parquet"]
    write(other, json.dumps(index))
    (other / CHECKPOINT / "logits").mkdir()
    assert read_index(other) == index
    for name in ("a.safetensors", "logits/epoch_0001.parquet"):
        (other / CHECKPOINT / name).symlink_to(tmp_path / "mine")
        with pytest.raises(StoreError, match=f"{name} is a link"):
            read_index(other)
        (other / CHECKPOINT / name).unlink()
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / CHECKPOINT).symlink_to(other / CHECKPOINT)
    with pytest.raises(StoreError, match="checkpoint is a link"):
        read_index(mine)
