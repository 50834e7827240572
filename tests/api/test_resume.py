"""A run that was killed ends as one that was not."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from hcat_nb.api.characterize import characterize
from hcat_nb.api.resume import resume
from hcat_nb.api.run import Run, load_run
from hcat_nb.cli import main
from hcat_nb.data.loading import load
from hcat_nb.errors import HcatError, ModelError, SpecError, StoreError
from hcat_nb.registry import METHODS
from hcat_nb.runs.store import digests
from hcat_nb.training.events import Control, Listener

Forked = Callable[[str], subprocess.CompletedProcess[str]]
OPTIONS = {
    "dataset": "digits", "subset": 60, "hardness": "uniform", "epochs": 6, "batch_size": 16,
    "seed": 3, "keep_dynamics": "probs", "methods": "all",
}  # fmt: skip
KILLED_AFTER = """
import os, signal
from hcat_nb.runs.store import journal as _journal
whole = _journal.Journal.write
def write(self, seed, progress, *rest):
    whole(self, seed, progress, *rest)
    if (seed, len(progress.history)) == {at}:
        os.kill(os.getpid(), signal.SIGKILL)
_journal.Journal.write = write
"""
KILLED_WHILE_WRITING = """
import os, signal
from hcat_nb.runs.store import journal as _journal
from safetensors import torch as files
whole, saved = files.save_file, []
def save_file(tensors, path):
    whole(tensors, path)
    saved.append(path)
    if len(saved) == 4:  # a file a checkpoint: all tensors are small here
        os.truncate(path, os.path.getsize(path) // 2)
        os.kill(os.getpid(), signal.SIGKILL)
files.save_file = save_file
"""


class Interrupted(Exception):  # noqa: N818 - not an error of the run
    """Ends a run at a certain epoch."""


class Interrupts(Listener):
    essential = True

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def on_epoch(self, event):
        if event.epoch == self.epoch:
            raise Interrupted


class Stops(Interrupts):
    def __init__(self, epoch: int) -> None:
        super().__init__(epoch)
        self.control = Control()

    def on_epoch(self, event):
        if event.epoch == self.epoch:
            self.control.stop.set()


def interrupted(folder: Path, *data: object, after: int = 2, **options: object) -> Path:
    with pytest.raises(Interrupted):
        characterize(*data, out=folder, listeners=[Interrupts(after)], **options)
    return folder


def killed(forked: Forked, folder: Path, kill: str, **options: object) -> Path:
    program = f"{kill}\nfrom hcat_nb import characterize\n"
    program += f"characterize(out={str(folder)!r}, **{options!r})"
    done = forked(program)
    assert done.returncode == -signal.SIGKILL, done.stdout
    return folder


def assert_same(first: Run, second: Run) -> None:
    """Equal to the bit in everything but seconds."""
    for table in ("scores", "details", "truth", "flags", "dynamics", "seed_scores"):
        one, other = getattr(first, table), getattr(second, table)
        assert (one is None) == (other is None)
        if one is not None:
            pd.testing.assert_frame_equal(one, other, check_exact=True)
    figures = ["loss", "accuracy"]
    pd.testing.assert_frame_equal(first.history[figures], second.history[figures], check_exact=True)
    assert first.weights.keys() == second.weights.keys()
    assert all(torch.equal(first.weights[key], second.weights[key]) for key in first.weights)
    if first.spec.knows_truth:
        assert first.evaluate(n_resamples=0).equals(second.evaluate(n_resamples=0))


@pytest.fixture(scope="module")
def whole() -> Run:
    """All methods, never interrupted."""
    return characterize(**OPTIONS)


@pytest.fixture(scope="module")
def killed_run(forked, tmp_path_factory) -> Path:
    """The folder of the same run, killed after three epochs."""
    folder = tmp_path_factory.mktemp("killed") / "run"
    return killed(forked, folder, KILLED_AFTER.format(at=(0, 3)), **OPTIONS)


@pytest.fixture(scope="module")
def resumed(killed_run, tmp_path_factory) -> Run:
    folder = tmp_path_factory.mktemp("resumed") / "run"
    shutil.copytree(killed_run, folder)
    run = resume(folder)
    assert_same(run, load_run(folder))
    assert not (folder / "checkpoint").exists()
    return run


posix = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")


@pytest.mark.slow
@posix
class TestKilled:
    @pytest.mark.parametrize("name", METHODS.names())
    def test_each_method_scores_as_if_nothing_had_happened(self, name, whole, resumed):
        assert np.array_equal(whole.scores[name], resumed.scores[name], equal_nan=True)

    def test_so_does_everything_else(self, whole, resumed):
        assert_same(whole, resumed)
        assert resumed.info["resumed"] == [{"seed": 0, "epoch": 3}]
        saved = dict(resumed.info["dataset"])
        assert saved.pop("fingerprint")  # which a run gets when it is saved
        assert {**resumed.info, "resumed": None, "dataset": saved} == {
            **whole.info,
            "resumed": None,
        }
        assert resumed.timings["train"] == resumed.history["train_seconds"].sum()

    def test_in_the_middle_of_writing_a_checkpoint(self, whole, forked, tmp_path):
        folder = killed(forked, tmp_path / "run", KILLED_WHILE_WRITING, **OPTIONS)
        run = resume(folder)
        assert_same(whole, run)
        assert run.info["resumed"] == [{"seed": 0, "epoch": 3}]

    def test_finished_seeds_are_not_trained_again(self, forked, tmp_path):
        options = OPTIONS | {"seeds": 3, "epochs": 2, "methods": "el2n grand conf_agree"}
        folder = killed(forked, tmp_path / "run", KILLED_AFTER.format(at=(1, 1)), **options)
        trained = []

        class Counts(Listener):
            def on_epoch(self, event):
                trained.append(event.epoch)

        run = resume(folder, listeners=[Counts()])
        assert trained == [4, 5, 6]
        assert_same(characterize(**options), run)
        assert run.info["resumed"] == [{"seed": 1, "epoch": 1}]

    def test_the_command_goes_on(self, killed_run, whole, tmp_path, capsys):
        folder = tmp_path / "run"
        shutil.copytree(killed_run, folder)
        assert main(["evaluate", str(folder)]) == 2
        assert (
            "not finished (epoch 3 of 6); to mend it: `hcat resume` it" in capsys.readouterr().err
        )
        assert main(["resume", str(folder)]) == 0
        assert f"saved to {folder}" in capsys.readouterr().out
        assert load_run(folder).scores.equals(whole.scores)
        assert main(["resume", str(folder)]) == 2
        assert "has ended; there is nothing to resume" in capsys.readouterr().err


class TestInterrupted:
    def test_at_any_epoch_also_twice(self, tmp_path):
        options = OPTIONS | {"dataset": "wine", "methods": "all", "epochs": 4}
        expected = characterize(**options)
        for after in (1, 4):
            assert_same(
                expected, resume(interrupted(tmp_path / str(after), after=after, **options))
            )
        folder = interrupted(tmp_path / "twice", after=1, **options)
        with pytest.raises(Interrupted):
            resume(folder, listeners=[Interrupts(3)])
        run = resume(folder)
        assert_same(expected, run)
        assert run.info["resumed"] == [{"seed": 0, "epoch": 1}, {"seed": 0, "epoch": 3}]

    def test_extra_trainings_come_after_it(self, tmp_path):
        extra = {"aum": {"threshold_samples": True}, "cleanlab": {"cv": 2}}
        options = {"dataset": "wine", "methods": "aum cleanlab", "epochs": 3, "seeds": 2}
        options |= {"method_options": extra}
        expected = characterize(**options)
        assert_same(expected, resume(interrupted(tmp_path / "r", after=5, **options)))
        assert_same(expected, resume(interrupted(tmp_path / "s", after=6, **options)))

    def test_kept_logits_are_there_again(self, tmp_path):
        options = OPTIONS | {"dataset": "wine", "methods": "el2n", "epochs": 3}
        options |= {"keep_dynamics": "logits"}
        expected = characterize(**options)
        run = resume(interrupted(tmp_path / "r", after=2, **options))
        assert_same(expected, run)
        for epoch in (1, 2, 3):
            assert expected.logits.epoch(epoch).equals(run.logits.epoch(epoch))
            assert run.logits.epoch(epoch).equals(load_run(tmp_path / "r").logits.epoch(epoch))

    def test_a_stopped_run_is_a_run_and_goes_on(self, tmp_path):
        options = OPTIONS | {"dataset": "wine", "methods": "el2n cleanlab", "epochs": 4}
        stops = Stops(2)
        stopped = characterize(
            out=tmp_path / "r", listeners=[stops], control=stops.control, **options
        )
        assert load_run(tmp_path / "r").info["outcome"] == stopped.info["outcome"] == "stopped"
        assert len(stopped.history) == 2
        assert_same(characterize(**options), resume(tmp_path / "r"))

    def test_a_stopped_run_of_seeds_holds_the_finished_ones(self, tmp_path):
        options = OPTIONS | {"dataset": "wine", "methods": "el2n", "epochs": 2, "seeds": 3}
        stops = Stops(3)
        run = characterize(out=tmp_path / "r", listeners=[stops], control=stops.control, **options)
        assert run.info["model_seeds"] == [3]
        assert run.info["outcome"] == "stopped"
        assert run.details["el2n_std"].isna().all()
        assert_same(characterize(**options), resume(tmp_path / "r"))

    def test_before_the_first_epoch_it_begins_again(self, tmp_path):
        class Fails(Listener):
            essential = True

            def on_step(self, event):
                raise Interrupted

        with pytest.raises(Interrupted):
            characterize("wine", epochs=2, methods="el2n", out=tmp_path / "r", listeners=[Fails()])
        shutil.copytree(tmp_path / "r", tmp_path / "again")
        run = resume(tmp_path / "r")
        assert_same(characterize("wine", epochs=2, methods="el2n"), run)
        assert "resumed" not in run.info
        characterize("wine", epochs=1, methods="el2n", out=tmp_path / "again")  # nothing is lost

    def test_the_checkpoint_stays_if_it_is_wanted(self, tmp_path):
        characterize("wine", epochs=1, methods="el2n", out=tmp_path / "r", keep_checkpoint=True)
        assert (tmp_path / "r" / "checkpoint" / "small-0-1.safetensors").is_file()
        load_run(tmp_path / "r")
        with pytest.raises(StoreError, match="has ended"):
            resume(tmp_path / "r")

    def test_an_old_run_stays_until_the_new_one_is_there(self, tmp_path):
        old = characterize("wine", epochs=1, methods="el2n", out=tmp_path / "r")
        interrupted(tmp_path / "r", "wine", epochs=3, methods="aum", overwrite=True)
        assert load_run(tmp_path / "r").scores.equals(old.scores)
        assert resume(tmp_path / "r").methods == ["aum"]
        assert load_run(tmp_path / "r").methods == ["aum"]


class TestObjects:
    def test_data_and_model_are_handed_over_again(self, tmp_path, capsys):
        wine = load("wine")
        net = nn.Sequential(nn.Linear(13, 8), nn.Dropout(0.2), nn.ReLU(), nn.Linear(8, 3))
        options = {"epochs": 4, "methods": "loss conf_agree", "hardness": "uniform"}
        expected = characterize(wine.features, wine.labels, name="mine", model=net, **options)
        folder = interrupted(
            tmp_path / "r", wine.features, wine.labels, name="mine", model=net, **options
        )
        with pytest.raises(StoreError, match=r"the dataset and the model of the run .* were obj"):
            resume(folder)
        assert main(["resume", str(folder)]) == 2
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        assert "hcat_nb.resume(folder, data, labels, model=...)" in said
        with pytest.raises(StoreError, match=r"other data .*labels"):
            resume(folder, wine.features, wine.labels.flip(0), model=net)
        with pytest.raises(StoreError, match=r"other data .*features"):
            resume(folder, wine.features + 1, wine.labels, model=net)
        with pytest.raises((StoreError, ModelError), match=r"other model .*build"):
            resume(folder, wine.features, wine.labels, model=nn.Linear(13, 3))
        run = resume(folder, wine.features, wine.labels, model=net)
        assert_same(expected, run)
        assert run.info["dataset"]["name"] == "mine"

    def test_features_of_the_users_own_are_given_again_and_no_others(self, tmp_path):
        own = np.random.default_rng(0).normal(size=(178, 4))
        options = {"epochs": 2, "methods": "el2n", "hardness": "uniform"}
        folder = interrupted(tmp_path / "r", "wine", after=1, features=own, **options)
        with pytest.raises(StoreError, match=r"the features of .* was an object.*features=\.\.\."):
            resume(folder)
        with pytest.raises(StoreError, match=r"other data .*features of your own"):
            resume(folder, features=own + 1)
        run = resume(folder, features=own)
        assert_same(characterize("wine", features=own, **options), run)

    def test_an_option_that_is_an_object(self, tmp_path):
        options = {
            "subset": 60, "epochs": 2, "methods": "el2n", "hardness": "far_ood",
            "hardness_options": {"source": load("digits", subset=50)},
        }  # fmt: skip
        folder = interrupted(tmp_path / "r", "digits", after=1, **options)
        with pytest.raises(StoreError, match=r"hardness_options of .* was an object"):
            resume(folder)
        run = resume(folder, hardness_options=options["hardness_options"])
        assert_same(characterize("digits", **options), run)

    def test_a_mixture_of_objects_is_given_as_it_was(self, tmp_path):
        mixture = {"far_ood": {"p": 0.1, "source": load("digits", subset=50)}, "uniform": 0.1}
        options = {"subset": 60, "epochs": 2, "methods": "el2n", "hardness": mixture}
        folder = interrupted(tmp_path / "r", "digits", after=1, **options)
        run = resume(folder, hardness=mixture)
        assert_same(characterize("digits", **options), run)


class TestMistakes:
    def test_another_specification_is_told(self, tmp_path):
        folder = interrupted(tmp_path / "r", "wine", epochs=4, methods="el2n", after=1)
        with pytest.raises(SpecError, match=r"another specification .*epochs was 4 and is 9"):
            resume(folder, epochs=9)
        with pytest.raises(SpecError, match="dataset was 'wine' and is 'digits'"):
            resume(folder, "digits")
        with pytest.raises(StoreError, match=r"not finished \(epoch 1 of 4\).*hcat resume"):
            characterize("wine", epochs=4, methods="el2n", out=folder)

    def test_changed_files_of_a_named_dataset_are_told(self, tmp_path, monkeypatch):
        folder = interrupted(tmp_path / "r", "wine", epochs=3, methods="el2n")
        from hcat_nb.data.loading import load as whole
        from hcat_nb.runs.execution import inputs as _inputs

        def other(*arguments, **options):
            dataset = whole(*arguments, **options)
            return dataset.replace(features=dataset.features * 2)

        monkeypatch.setattr("hcat_nb.data.loading.load", other)
        assert _inputs.load_dataset
        with pytest.raises(StoreError, match=r"begun with other data \(features\)"):
            resume(folder)

    def test_other_conditions_are_a_warning(self, tmp_path, monkeypatch):
        folder = interrupted(tmp_path / "r", "wine", epochs=3, methods="el2n")
        monkeypatch.setattr(torch, "get_num_threads", lambda: 64)
        with pytest.warns(UserWarning, match="threads was 1 and is 64"):
            resume(folder)

    @pytest.mark.parametrize(
        "wrong", [{"listeners": ["bar"]}, {"control": True}, {"keep_checkpoint": "no"}], ids=str
    )
    def test_who_listens_is_asked_before_anything_is_read(self, wrong, tmp_path):
        with pytest.raises(SpecError, match=r"a listener is|control is|keep_checkpoint is"):
            resume(tmp_path / "none", **wrong)

    def test_the_files_of_a_checkpoint_are_read_for_their_digests_once(self, tmp_path, monkeypatch):
        folder = interrupted(tmp_path / "run", "wine", epochs=2, methods="el2n", after=1)
        seen = []
        digest = digests.file_digest
        monkeypatch.setattr(digests, "file_digest", lambda path: seen.append(path) or digest(path))
        resume(folder)
        names = [path.name for path in seen if path.suffix == ".safetensors"]
        assert len(names) == len(set(names)) > 0

    def test_nothing_to_resume(self, tmp_path):
        for folder in (tmp_path, tmp_path / "nowhere"):
            with pytest.raises(StoreError, match="holds no run"):
                resume(folder)
        (tmp_path / "checkpoint").mkdir()
        with pytest.raises(StoreError, match="interrupted before it began"):
            resume(tmp_path)

    def test_who_stops_before_the_first_epoch_finds_nothing(self, tmp_path):
        control = Control()
        control.stop.set()
        with pytest.raises(HcatError, match="before its first epoch"):
            characterize("wine", out=tmp_path / "r", control=control)
        assert not (tmp_path / "r").exists()


def test_of_training_logits_it_goes_on_as_it_was(tmp_path):
    options = {"dataset": "wine", "epochs": 3, "observe": "training", "methods": "aum el2n vog"}
    run = resume(interrupted(tmp_path / "run", after=2, **options))
    assert_same(characterize(**options), run)
