"""Methods added to a run that is over: what its own training would have given."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hcat_nb.api.characterize import characterize
from hcat_nb.api.characterize_dynamics import characterize_dynamics
from hcat_nb.api.rescore import rescore
from hcat_nb.api.resume import resume
from hcat_nb.api.run import Run, load_run
from hcat_nb.errors import SpecError, StoreError, UnknownNameError
from hcat_nb.registry import METHODS
from hcat_nb.training.events import Control, Listener

SETTING = {"hardness": "uniform", "p": 0.1, "epochs": 3, "seed": 0}
FORGETTING = {"forgetting": {"when": "epoch_end"}}
FROM_LOGITS = ["cleanlab", "dataiq", "datamaps", "detector", "forgetting", "loss"]


class Stops(Listener):
    """Stops a run after an epoch."""

    def __init__(self, control: Control, epoch: int) -> None:
        self.control, self.epoch = control, epoch

    def on_epoch(self, event):
        if event.epoch == self.epoch:
            self.control.stop.set()


def frame() -> pd.DataFrame:
    """Rows of three classes; one without a label, one that cannot be read, ids that are text."""
    rng = np.random.default_rng(0)
    y = np.arange(90) % 3
    data = pd.DataFrame(rng.normal(size=(90, 4)) + y[:, None], columns=list("abcd"))
    data["y"] = np.array(["oak", "elm", "fir"])[y]
    data.loc[5, "y"] = None
    data.loc[7, "a"] = np.nan
    return data.set_axis([f"s{i}" for i in range(90)])


def train(methods: str | list[str], **options: object) -> Run:
    return characterize(
        frame(), target="y", on_missing_label="keep", on_bad_row="keep", methods=methods,
        **SETTING, **options,
    )  # fmt: skip


@pytest.fixture(scope="module")
def full() -> Run:
    """The run that had all methods from the start."""
    return train(["el2n", *FROM_LOGITS], method_options=FORGETTING)


@pytest.fixture(scope="module")
def kept() -> Run:
    return train("el2n", keep_dynamics="logits")


def test_from_logits_every_table_is_that_of_the_training(full, kept):
    more = rescore(kept, FROM_LOGITS, method_options=FORGETTING)
    # Nothing is rounded on the way, and rows keep their places in a batch.
    pd.testing.assert_frame_equal(more.scores, full.scores, rtol=1e-6, atol=1e-7)
    pd.testing.assert_frame_equal(more.flags, full.flags)
    pd.testing.assert_frame_equal(
        more.details[full.details.columns], full.details, rtol=1e-6, atol=1e-7
    )
    assert more.methods == full.methods
    assert more.spec.replace(keep_dynamics="none", methods=full.spec.methods) == full.spec
    assert set(more.spec.methods) == set(full.spec.methods)
    assert kept.methods == ["el2n"]  # the run that was handed over is as it was
    assert more.details.loc["s5", "loss_status"] == "no_label"
    assert more.details.loc["s7", "loss_status"] == "unreadable"


def test_from_probabilities_scores_are_equal_up_to_their_digits(full):
    more = rescore(train("el2n", keep_dynamics="probs"), "all")
    served = [name for name in more.methods if name in full.methods]
    assert {"dataiq", "datamaps", "detector", "loss"} <= set(served)
    # 1 - p of a float32 p has an error of 6e-8
    pd.testing.assert_frame_equal(more.scores[served], full.scores[served], rtol=1e-5, atol=1e-6)
    for name in served:
        status = f"{name}_status"
        assert more.details[status].tolist() == full.details[status].tolist()
    assert {"cleanlab", "vog", "aum", "forgetting"} <= set(more.info["skipped"])


def test_all_adds_whatever_the_logits_serve(kept):
    more = rescore(kept)
    assert {"cleanlab", "dataiq", "datamaps", "loss"} <= set(more.methods)
    assert more.methods == [name for name in METHODS.names() if name in more.methods]
    assert set(more.info["skipped"]) == set(METHODS.names()) - set(more.methods)
    assert more.info["rescored"][0]["from"] == "logits"
    with pytest.raises(SpecError, match="which the run did not keep"):
        rescore(more)


def test_a_saved_run_is_replaced_as_a_whole(tmp_path):
    train("el2n", keep_dynamics="logits", out=tmp_path / "run")
    before = load_run(tmp_path / "run")
    more = rescore(tmp_path / "run", ["loss", "datamaps"])
    after = load_run(tmp_path / "run")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert after.methods == ["datamaps", "el2n", "loss"]
    pd.testing.assert_frame_equal(after.scores, more.scores)
    pd.testing.assert_series_equal(after.scores["el2n"], before.scores["el2n"])
    pd.testing.assert_frame_equal(after.dynamics, before.dynamics)
    pd.testing.assert_frame_equal(after.logits.epoch(3), before.logits.epoch(3))
    again = rescore(str(tmp_path / "run"), "dataiq")  # a second time, from what was copied
    assert again.methods == ["dataiq", "datamaps", "el2n", "loss"]
    assert len(load_run(tmp_path / "run").info["rescored"]) == 2
    assert again.logits.epoch(1).shape == (89, 4)


def test_a_rescoring_that_fails_leaves_the_run(tmp_path, monkeypatch):
    train("el2n", keep_dynamics="probs", out=tmp_path / "run")
    before = load_run(tmp_path / "run")

    def full(*_args: object, **_kwargs: object) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr("safetensors.torch.save", full)
        with pytest.raises(StoreError, match=r"no space left.*make room there"):
            rescore(tmp_path / "run", "loss")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert load_run(tmp_path / "run").scores.equals(before.scores)


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ("aum", "aum needs the logits of the training forward, which the run did not keep"),
        ("vog", "vog needs the model's gradients .*train again with this method"),
        (["loss", "grand"], "grand needs the gradients"),
        ("forgetting", r"forgetting needs .*forgetting\.when=epoch_end reads the end of epochs"),
        ("el2n", "the run has el2n already"),
    ],
)
def test_what_cannot_be_added_is_refused_by_name(kept, methods, message):
    with pytest.raises(SpecError, match=message) as caught:
        rescore(kept, methods)
    assert "\n" not in str(caught.value)


def test_a_run_without_dynamics_says_what_to_do(full):
    with pytest.raises(StoreError, match=r"kept no dynamics.*expected keep_dynamics=probs or lo"):
        rescore(full, "loss")
    z = np.zeros((1, 4, 2))
    with pytest.raises(StoreError, match=r"kept no dynamics.*score its dynamics again"):
        rescore(characterize_dynamics(logits=z, labels=[0, 1, 0, 1], methods="loss"), "el2n")


def test_unknown_names_are_refused(kept):
    with pytest.raises(UnknownNameError, match=r"unknown method 'los'.*nearest: loss"):
        rescore(kept, "los")
    with pytest.raises(UnknownNameError, match="'loss' has no option 'at'"):
        rescore(kept, "loss", method_options={"loss": {"at": 1}})


def test_a_run_that_was_stopped_is_rescored_from_its_epochs():
    control = Control()
    options = {"hardness": "uniform", "epochs": 5, "seed": 0, "keep_dynamics": "logits"}
    run = characterize(
        "wine",
        methods=["cleanlab", "loss"],
        listeners=[Stops(control, 2)],
        control=control,
        **options,
    )
    assert len(run.history) == run.logits.n_epochs == 2
    bare = rescore_without(run, ["cleanlab", "loss"])
    pd.testing.assert_frame_equal(
        rescore(bare, ["cleanlab", "loss"]).scores[["cleanlab", "loss"]], run.scores, rtol=1e-6
    )


def rescore_without(run: Run, names: list[str]) -> Run:
    """Return the run as it would be had it had el2n only."""
    import dataclasses

    with_el2n = rescore(run, "el2n")
    return dataclasses.replace(
        with_el2n,
        scores=with_el2n.scores.drop(columns=names),
        flags=with_el2n.flags.drop(columns=names, errors="ignore"),
        info={**with_el2n.info, "methods": {"el2n": with_el2n.info["methods"]["el2n"]}},
    )


def test_methods_are_added_in_the_variant_of_the_run():
    names = ["datamaps", "dataiq", "detector"]
    full = characterize("wine", epochs=3, methods=["el2n", *names], variant="hcat", seed=0)
    kept = characterize(
        "wine", epochs=3, methods="el2n", variant="hcat", keep_dynamics="logits", seed=0
    )
    more = rescore(kept, names)
    # Both computed from the same float32 logits
    pd.testing.assert_frame_equal(more.scores, full.scores, rtol=1e-6, atol=1e-7)
    assert more.info["methods"]["datamaps"]["options"]["variant"] == "hcat"
    other = rescore(kept, "datamaps", method_options={"datamaps": {"variant": "paper"}})
    assert not np.allclose(other.scores["datamaps"], full.scores["datamaps"])


def test_a_stopped_run_can_still_go_on(tmp_path):
    control = Control()
    options = {"epochs": 3, "methods": "el2n", "keep_dynamics": "logits", "seed": 0}
    characterize(
        "wine", out=tmp_path / "r", control=control, listeners=[Stops(control, 1)], **options
    )
    rescore(tmp_path / "r", "loss")
    assert load_run(tmp_path / "r").methods == ["el2n", "loss"]
    assert len(resume(tmp_path / "r").history) == 3


def test_a_users_files_in_the_folder_stay(tmp_path):
    folder = tmp_path / "r"
    characterize("wine", epochs=1, methods="el2n", keep_dynamics="probs", out=folder)
    (folder / "notes.md").write_text("mine")
    (folder / "figs").mkdir()
    (folder / "figs" / "a.png").touch()
    rescore(folder, "loss")
    assert load_run(folder).methods == ["el2n", "loss"]
    assert (folder / "notes.md").read_text() == "mine"
    assert (folder / "figs" / "a.png").is_file()


def test_epoch_means_over_the_second_half_are_those_of_the_training():
    names = ["dataiq", "datamaps", "loss"]
    trained = train(["el2n", *names], epoch_mean="second_half")
    kept = train("el2n", epoch_mean="second_half", keep_dynamics="logits")
    more = rescore(kept, names)
    assert more.info["methods"]["loss"]["options"]["epochs"] == "second_half"
    for name in names:
        np.testing.assert_allclose(more.scores[name], trained.scores[name], rtol=1e-5, atol=1e-6)
    whole = train("el2n", keep_dynamics="logits")
    half = rescore(whole, "loss", method_options={"loss": {"epochs": "second_half"}})
    np.testing.assert_allclose(half.scores["loss"], trained.scores["loss"], rtol=1e-5, atol=1e-6)
    assert not np.allclose(
        rescore(whole, "loss").scores["loss"], half.scores["loss"], equal_nan=True
    )
