"""A run of several processes is the run of one."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from hcat_nb.api.characterize import characterize
from hcat_nb.api.run import Run, load_run
from hcat_nb.registry import METHODS

# 12 batches of 16 and one of 7 an epoch: shares of two processes are 8 and 8, or 4 and 3.  An
# observation batch of 8 is small enough for each process to have whole batches.
OPTIONS = {
    "dataset": "digits", "subset": 199, "hardness": "uniform", "epochs": 4, "batch_size": 16,
    "observe_batch_size": 8, "seed": 3, "keep_dynamics": "probs", "methods": "all",
    "judges": False,  # of the embedding, they tell more of its rounding than scores do
}  # fmt: skip
EXTRA = {"cleanlab": {"cv": 2}, "aum": {"threshold_samples": True}}
PROGRAM = """
import hcat_nb, pickle, os
run = hcat_nb.characterize(out={out!r}, **{options!r})
run.save("not written where rank 0 writes" if os.environ["RANK"] == "1" else "written")
tables = [run.scores, run.details, run.flags, run.history, run.dynamics, run.truth]
with open("run_" + os.environ["RANK"], "wb") as file:
    pickle.dump([run.follows, run.weights, len(run.dataset), *tables], file)
"""
# float32 sums in another order move a weight by 1e-7 of its size in a step; Adam divides by the
# size of the gradient, so that a weight whose gradient is next to nothing moves by more.  Over
# some fifty steps scores moved by less than 5e-6 of their spread; a sample in the wrong place, a
# gradient of the wrong scale or another dropout mask moves them by 1e-1 and more.
ROUNDING = 1e-3


def assert_close(one: Run, two: Run, methods: list[str] | None = None) -> None:
    for method in methods or one.methods:
        mine, theirs = one.scores[method].to_numpy(), two.scores[method].to_numpy()
        assert np.array_equal(np.isnan(mine), np.isnan(theirs)), method
        apart = np.nanmax(np.abs(mine - theirs))
        assert apart <= ROUNDING * np.nanstd(mine), (method, apart)


def in_processes(torchrun, folder: Path, processes: int = 2, **options) -> Run:
    torchrun(PROGRAM.format(out=str(folder), options=OPTIONS | options), processes)
    return load_run(folder)


@pytest.fixture(scope="module")
def alone() -> Run:
    return characterize(**OPTIONS, method_options=EXTRA)


def test_all_methods_score_as_in_one_process(torchrun, tmp_path, alone):
    """With dropout, threshold samples and folds; every table, on every rank."""
    two = in_processes(torchrun, tmp_path / "two", method_options=EXTRA)
    assert two.methods == METHODS.names()
    assert two.info["outcome"] == "finished"
    assert "trained and observed by 2 processes together" in two.info["notes"]
    assert_close(alone, two)
    assert alone.scores["forgetting"].equals(two.scores["forgetting"])  # counts
    pd.testing.assert_frame_equal(alone.details, two.details, rtol=ROUNDING, atol=1e-5)
    pd.testing.assert_frame_equal(alone.dynamics, two.dynamics, atol=1e-5)
    pd.testing.assert_frame_equal(
        alone.history[["loss", "accuracy"]], two.history[["loss", "accuracy"]], rtol=1e-5
    )
    pd.testing.assert_frame_equal(alone.flags, two.flags)
    leader, follower = (pickle.loads((tmp_path / f"run_{rank}").read_bytes()) for rank in (0, 1))
    assert (leader[0], follower[0]) == (False, True)
    assert leader[2] == follower[2] == 199
    for mine, theirs in zip(leader[3:], follower[3:], strict=True):
        pd.testing.assert_frame_equal(mine, theirs)
    assert all(torch.equal(value, follower[1][name]) for name, value in leader[1].items())
    assert (tmp_path / "written").is_dir()
    assert not (tmp_path / "not written where rank 0 writes").exists()
    assert not (tmp_path / "two" / "checkpoint").exists()


def test_what_is_only_observed_is_equal_to_the_bit(torchrun, tmp_path):
    """Training that moves no weight: the observation batches are those of one process."""
    # no BatchNorm, whose running statistics move without a step
    options = {"lr": 1e-30, "observe_batch_size": 4, "model": "lenet"}
    two = in_processes(torchrun, tmp_path / "two", **options)
    one = characterize(**OPTIONS | options)
    assert all(torch.equal(value, two.weights[name]) for name, value in one.weights.items())
    assert_close(one, two)
    # aum and forgetting read the training forward, of 8 samples where one process sees 16: its
    # matrix products add up in another order.  The sums of prototypicality are by rank.
    exact = set(METHODS.names()) - {"aum", "forgetting", "prototypicality"}
    assert {name for name in exact if not one.scores[name].equals(two.scores[name])} == set()
    assert one.dynamics.equals(two.dynamics)


def test_batches_smaller_than_the_number_of_processes(torchrun, tmp_path):
    """Two samples for three processes, whose idle one must not count; unequal portions."""
    options = {
        "dataset": "wine", "subset": 31, "batch_size": 2, "observe_batch_size": 64, "epochs": 2,
        "model": "mlp", "model_options": {"hidden": (16, 8)},
    }  # fmt: skip
    three = in_processes(torchrun, tmp_path / "three", processes=3, **options)
    assert_close(characterize(**OPTIONS | options), three)


def test_training_logits_alone_serve_every_process(torchrun, tmp_path):
    """Each process remembers its own samples, whose logits another one may have seen."""
    options = {"observe": "training", "methods": "aum datamaps detector el2n forgetting grand loss"}
    two = in_processes(torchrun, tmp_path / "two", **options)
    one = characterize(**OPTIONS | options)
    assert_close(one, two)
    pd.testing.assert_frame_equal(one.details, two.details, rtol=ROUNDING, atol=1e-5)


SEEDS = """
import hcat_nb, os
from hcat_nb.training.events import Control, Listener
from hcat_nb.errors import DivergedError, HcatError
options = {options!r} | {{"methods": "el2n aum prototypicality"}}
rank = int(os.environ["RANK"])

class Stop(Listener):
    def __init__(self, control): self.control = control
    def on_step(self, event):
        if event.epoch == 3: self.control.stop.set()
    def on_start(self, event): assert rank == 0, "others hear nothing"

hcat_nb.characterize(out="whole", **options)
control = Control()
run = hcat_nb.characterize(out="stopped", control=control, listeners=[Stop(control)], **options)
assert run.info["outcome"] == "stopped" and len(run.history) == 2, run
run = hcat_nb.resume("stopped")
assert run.info["resumed"] == [{{"seed": 0, "epoch": 2}}], run.info
hcat_nb.characterize(out="seeds", **options | {{"seeds": 2, "epochs": 2}})
control = Control()
if rank == 1:
    control.stop.set()
try:
    hcat_nb.characterize(control=control, **options)
except HcatError as error:
    assert "stopped before its first epoch" in str(error), error
else:
    raise AssertionError("rank 1 wanted to stop")
try:
    hcat_nb.characterize(out="diverged", **options | {{"lr": 1e30}})
except DivergedError as error:
    assert error.run is None, error
else:
    raise AssertionError("did not diverge")
assert hcat_nb.characterize(**options | {{"epochs": 2}}).info["outcome"] == "finished"
"""


def test_stops_seeds_and_errors_are_agreed_on(torchrun, tmp_path):
    """A resumed run is the uninterrupted one to the bit, and errors of all leave all in step."""
    torchrun(SEEDS.format(options=OPTIONS))
    whole, stopped = load_run(tmp_path / "whole"), load_run(tmp_path / "stopped")
    assert whole.scores.equals(stopped.scores)
    assert whole.details.equals(stopped.details)
    assert all(torch.equal(value, stopped.weights[name]) for name, value in whole.weights.items())
    seeds = OPTIONS | {"methods": "el2n aum prototypicality", "seeds": 2, "epochs": 2}
    one, two = characterize(**seeds), load_run(tmp_path / "seeds")
    assert two.info["model_seeds"] == [3, 4]
    assert_close(one, two)
    assert not (tmp_path / "diverged").exists()


OWN = """
import numpy as np
import torch
import hcat_nb

def data():
    generator = np.random.default_rng(0)
    X = generator.normal(size=(120, 6)).astype(np.float32)
    y = (X[:, 0] > 0).astype(float) + (X[:, 1] > 1)
    X[[3, 70, 119]] = np.nan  # at the borders of what each process observes
    y[[0, 71]] = np.nan
    y[50] = 3.0  # alone in its class
    return X, y

def run(**more):
    X, y = data()
    return hcat_nb.characterize(
        X, y, on_bad_row="keep", on_missing_label="keep", epochs=3, observe_batch_size=4, seed=0,
        method_options={"prototypicality": {"prototypes": "kmeans"}}, **more)

if __name__ == "__main__":
    torch.distributed.init_process_group("gloo")  # by the script itself
    run(out="own")
"""


def test_own_data_with_gaps_on_connections_of_the_script(torchrun, tmp_path):
    torchrun(OWN)
    here: dict[str, Any] = {"__name__": "imported"}
    exec(compile(OWN, "own", "exec"), here)
    one, two = here["run"](), load_run(tmp_path / "own")
    assert_close(one, two)
    statuses = [f"{name}_status" for name in one.methods]
    assert one.details[statuses].astype(str).equals(two.details[statuses].astype(str))
    assert set(one.details["loss_status"]) == {"", "unreadable", "no_label"}


UNLIKE = """
import hcat_nb, os
from hcat_nb.errors import DataError, HcatError, SpecError
rank = int(os.environ["RANK"])
for options, kind, words in (
    ({"dataset": "absent.csv", "target": "y"}, HcatError, "absent.csv"),
    ({"dataset": "wine", "keep_dynamics": "logits"}, SpecError, "'none' or 'probs'"),
    ({"dataset": "wine", "subset": 50, "data_seed": rank}, DataError, "process 1 was given"),
    ({"dataset": "wine", "lr": 0.1 + rank}, DataError, "another specification"),
):
    try:
        hcat_nb.characterize(methods="el2n", epochs=1, **options)
    except kind as error:
        assert words in str(error), error
    else:
        raise AssertionError(words)
"""


def test_what_cannot_be_shared_is_refused_on_all(torchrun):
    torchrun(UNLIKE)


def test_a_followers_run_writes_nothing(tmp_path, alone):
    follower = Run(**vars(alone) | {"follows": True})
    assert follower.save(tmp_path / "run") == tmp_path / "run"
    assert not (tmp_path / "run").exists()
    assert alone.save(tmp_path / "run").is_dir()
