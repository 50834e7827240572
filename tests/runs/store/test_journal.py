"""Whenever the process dies, the checkpoint on disk is a whole one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

import hcat_nb as hcat
from hcat_nb.errors import StoreError
from hcat_nb.runs.store import atomic as _atomic
from hcat_nb.runs.store.atomic import DRAFT
from hcat_nb.runs.store.checkpoint import CHECKPOINT, INDEX, PREVIOUS, read_index
from hcat_nb.runs.store.digests import unsealed
from hcat_nb.runs.store.journal import Journal
from hcat_nb.training.loop import EpochRecord, TrainState

HEAD = {"spec": {"epochs": 5, "seeds": 1}}


class Killed(BaseException):
    """Stands for SIGKILL: what comes after it does not happen."""


def progress(epoch: int) -> TrainState:
    history = [EpochRecord(k, 1 / k, 0.5, 0.1, 0.1) for k in range(1, epoch + 1)]
    return TrainState(history, {"model/w": torch.full((3,), float(epoch))})


def states(epoch: int, changes: int) -> dict[str, dict[str, torch.Tensor]]:
    """A small accumulator, and two large ones of which one changes rarely."""
    large = torch.arange(2**18, dtype=torch.float32)
    return {
        "loss": {"sums": torch.full((4,), float(epoch))},
        "vog": {"mean": large + changes, "m2": large * epoch},
    }


def write(journal: Journal, epoch: int, changes: int = 0) -> None:
    journal.write(0, progress(epoch), states(epoch, changes), seconds=1.5)


def files(folder: Path) -> set[str]:
    return {path.name for path in (folder / CHECKPOINT).iterdir()}


def check(folder: Path, epoch: int, changes: int = 0) -> None:
    index = read_index(folder)
    parts, read = Journal(folder).tensors(index)
    assert index["epoch"] == epoch
    assert [EpochRecord(**one) for one in index["history"]] == list(progress(epoch).history)
    assert torch.equal(parts["model/w"], progress(epoch).parts["model/w"])
    expected = states(epoch, changes)
    assert read.keys() == expected.keys()
    for name, state in expected.items():
        assert all(torch.equal(read[name][key], value) for key, value in state.items())


def test_it_reads_what_it_wrote_and_keeps_one_checkpoint(tmp_path):
    journal = Journal(tmp_path, HEAD)
    for epoch in (1, 2, 3):
        write(journal, epoch)
    check(tmp_path, 3)
    # JSON and small tensors of this checkpoint and the one before; of two large accumulators one
    # changed between them
    assert len(files(tmp_path)) == 7
    text = (tmp_path / CHECKPOINT / "checkpoint.json").read_text()
    assert json.loads(text)["spec"] == HEAD["spec"]


def test_a_large_accumulator_that_did_not_change_is_not_written_again(tmp_path):
    journal = Journal(tmp_path, HEAD)

    def stamp() -> tuple[str, int]:
        paths = (tmp_path / CHECKPOINT).glob("vog-mean-*")
        path = max(paths, key=lambda path: path.stat().st_mtime_ns)  # beside that of before
        return path.name, path.stat().st_mtime_ns

    write(journal, 1)
    first = stamp()
    write(journal, 2)
    assert stamp() == first
    write(journal, 3, changes=1)
    assert stamp() != first
    check(tmp_path, 3, changes=1)


@pytest.mark.parametrize("moment", range(14))
@pytest.mark.parametrize("half", [False, True])
def test_a_kill_at_any_moment_leaves_the_last_checkpoint_or_the_new_one(
    moment, half, tmp_path, monkeypatch
):
    journal = Journal(tmp_path, HEAD)
    write(journal, 1)
    count = iter(range(moment, -1, -1))

    def flush(path):
        if next(count) == 0:
            if half and path.is_file():  # nothing but a beginning reached the disk
                path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(_atomic, "flush", flush)
        patch.setattr(Path, "unlink", lambda path, missing_ok=False: None)  # nor any tidying up
        try:
            write(journal, 2, changes=1)
        except Killed:
            index = read_index(tmp_path)
            check(tmp_path, index["epoch"], changes=index["epoch"] - 1)
        else:
            assert moment >= 8  # four files and more, each flushed before and after it is named
            check(tmp_path, 2, changes=1)
    write(journal, 3)
    check(tmp_path, 3)
    kept = set(read_index(tmp_path)["files"])
    kept |= set(unsealed((tmp_path / CHECKPOINT / PREVIOUS).read_bytes())["files"])
    assert files(tmp_path) == {INDEX, PREVIOUS, *kept}  # drafts are swept away


def test_a_full_disk_is_told_in_one_line(tmp_path, monkeypatch):
    def flush(path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_atomic, "flush", flush)
    with pytest.raises(StoreError, match=r"cannot be written .*No space left.*make room"):
        write(Journal(tmp_path, HEAD), 1)
    with pytest.raises(StoreError, match="cannot be written"):
        Journal(tmp_path, HEAD).begin()


def test_a_damaged_file_is_named(tmp_path):
    write(Journal(tmp_path, HEAD), 1)
    path = tmp_path / CHECKPOINT / "small-0-1.safetensors"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(StoreError, match=r"small-0-1\.safetensors cannot be read"):
        check(tmp_path, 1)
    path.unlink()
    with pytest.raises(StoreError, match=r"small-0-1\.safetensors cannot be read"):
        check(tmp_path, 1)


def test_discarding_leaves_what_is_not_its_own(tmp_path):
    for other in (False, True):
        folder = tmp_path / str(other)
        Journal(folder, HEAD).begin()
        if other:
            (folder / "run.json").touch()
        Journal(folder, HEAD).discard()
        assert folder.exists() == other


def test_a_seed_whose_save_found_no_room_is_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"epochs": 2, "methods": "el2n", "seeds": 2, "seed": 0, "judges": False}
    whole = hcat.characterize("wine", **options)

    def full(*_: object, **__: object) -> None:
        raise StoreError("no room")

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "keep_seed", full)
        with pytest.raises(StoreError, match="no room"):
            hcat.characterize("wine", out=tmp_path / "run", **options)
    # What is left of the save: a lock, and the draft that nobody could take away.
    draft = tmp_path / "run" / CHECKPOINT / "seed_0" / f"{DRAFT}0123abcd"
    draft.mkdir(parents=True)
    assert hcat.resume(tmp_path / "run").scores.equals(whole.scores)
