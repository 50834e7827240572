"""A bit that flips, a file that is cut or gone: each is named, none is read as something else."""

from __future__ import annotations

import random
import warnings
from pathlib import Path

import pytest

from hcat_nb.api.characterize import characterize
from hcat_nb.api.resume import resume
from hcat_nb.api.run import Run, load_run
from hcat_nb.errors import HcatError, StoreError
from hcat_nb.runs.store.checkpoint import INDEX, PREVIOUS, last_good
from hcat_nb.runs.store.digests import check_files, file_digest, sealed, unsealed
from hcat_nb.training.events import Control, Listener

OPTIONS = {"epochs": 4, "methods": "aum el2n", "seed": 0, "keep_dynamics": "logits"}


def flip(path: Path, chance: random.Random) -> None:
    data = bytearray(path.read_bytes())
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    path.write_bytes(data)


class StopAfter(Listener):
    def __init__(self, epoch: int) -> None:
        self.control, self.epoch = Control(), epoch

    def on_epoch(self, event):
        if event.epoch == self.epoch:
            self.control.stop.set()


def stopped(folder: Path, epoch: int = 2) -> None:
    listener = StopAfter(epoch)
    characterize("wine", out=folder, listeners=[listener], control=listener.control, **OPTIONS)


def same(one: Run, other: Run) -> bool:
    return (
        one.scores.equals(other.scores)
        and one.details.equals(other.details)
        and one.history[["loss", "accuracy"]].equals(other.history[["loss", "accuracy"]])
    )


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved") / "run"
    characterize("wine", out=folder, hardness="uniform", p=0.1, **OPTIONS)
    return folder


@pytest.mark.parametrize("seed", range(40))
def test_a_flipped_bit_or_a_cut_is_told_or_changes_nothing(saved: Path, seed: int) -> None:
    chance = random.Random(seed)
    files = sorted(path for path in saved.rglob("*") if path.is_file())
    path = files[seed % len(files)]
    before, good = path.read_bytes(), load_run(saved)
    try:
        if chance.random() < 0.8:
            flip(path, chance)
        else:
            path.write_bytes(before[: chance.randrange(len(before))])
        try:
            run = load_run(saved)
            frames = [run.logits.epoch(epoch) for epoch in range(1, run.logits.n_epochs + 1)]
        except StoreError as error:
            said = str(error)
        else:
            said = path.name
            assert all(frame.equals(good.logits.epoch(i + 1)) for i, frame in enumerate(frames))
            assert same(run, good)
            assert run.info == good.info
        assert path.name in said
    finally:
        path.write_bytes(before)


def test_a_missing_file_is_named_with_what_is_left(saved: Path) -> None:
    path = saved / "dynamics.parquet"
    before = path.read_bytes()
    path.unlink()
    try:
        with pytest.raises(StoreError, match=r"dynamics\.parquet is missing.*scores\.parquet"):
            load_run(saved)
    finally:
        path.write_bytes(before)


@pytest.mark.parametrize("seed", range(8))
def test_a_damaged_checkpoint_goes_on_from_the_one_before(tmp_path: Path, seed: int) -> None:
    whole = characterize("wine", **OPTIONS)
    stopped(tmp_path / "run")
    place = tmp_path / "run" / "checkpoint"
    index, before = unsealed((place / INDEX).read_bytes()), (place / PREVIOUS).read_bytes()
    own = [*sorted(set(index["files"]) - set(unsealed(before)["files"])), INDEX]
    flip(place / own[seed % len(own)], random.Random(seed))
    with pytest.warns(UserWarning, match="goes on from the checkpoint before, epoch 1 of 4"):
        run = resume(tmp_path / "run")
    assert same(run, whole)


def test_without_any_good_checkpoint_nothing_goes_on(tmp_path: Path) -> None:
    stopped(tmp_path / "run")
    place = tmp_path / "run" / "checkpoint"
    for path in place.glob("*.safetensors"):
        flip(path, random.Random(0))
    with pytest.raises(StoreError, match="is damaged"):
        resume(tmp_path / "run")


def test_a_damaged_file_is_not_taken_for_the_one_that_is_written_anew(tmp_path: Path) -> None:
    """Large tensors have names by their content: a damaged file has the name of the right one."""
    stopped(tmp_path / "run", 3)
    place = tmp_path / "run" / "checkpoint"
    for name in unsealed((place / INDEX).read_bytes())["epoch_files"][-1:]:
        flip(place / "logits" / name, random.Random(0))
    with pytest.warns(UserWarning, match="logits/epoch_0003"):
        run = resume(tmp_path / "run")
    whole = characterize("wine", **OPTIONS)
    for epoch in range(1, 5):
        assert run.logits.epoch(epoch).equals(whole.logits.epoch(epoch))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_run(tmp_path / "run")


def test_an_interrupted_move_leaves_the_checkpoint_before(tmp_path: Path) -> None:
    stopped(tmp_path / "run")
    (tmp_path / "run" / "checkpoint" / INDEX).unlink()
    index = last_good(tmp_path / "run")
    assert index is not None
    assert index["epoch"] == 1


def test_json_is_sealed_and_older_json_is_read(tmp_path: Path) -> None:
    text = sealed({"a": (1, 2), "b": {"c": None}})
    assert unsealed(text) == {"a": [1, 2], "b": {"c": None}}
    assert unsealed('{"a": 1}') == {"a": 1}
    with pytest.raises(ValueError, match="digest does not fit"):
        unsealed(text.replace("null", "true"))


def test_only_the_names_asked_for_are_looked_at(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    digests = {"a": file_digest(tmp_path / "a"), "b": "0" * 32}
    check_files(tmp_path, digests, ["a"])
    with pytest.raises(HcatError, match=r"b is missing.*can still be read there: a"):
        check_files(tmp_path, digests, ["a", "b"])


def test_a_run_of_before_says_that_it_has_no_digests(repository: Path) -> None:
    run = load_run(repository / "tests/contract/saved/bc134c2/finished")
    assert any("no digests" in note for note in run.info["notes"])
