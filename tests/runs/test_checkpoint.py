"""What stands in a folder."""

from __future__ import annotations

import json

import pytest

from hcat_nb.errors import StoreError
from hcat_nb.runs._checkpoint import (
    CHECKPOINT,
    INDEX,
    SCHEMA_VERSION,
    is_ours,
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
