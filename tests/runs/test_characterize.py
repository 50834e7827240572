"""From data to scores: reproducible, independent, and clear about mistakes."""

from __future__ import annotations

import contextlib
import random
import threading
import types

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from hcat_nb.data.loading import load
from hcat_nb.errors import (
    DivergedError,
    HcatError,
    ModelError,
)
from hcat_nb.perturbations._apply import perturb
from hcat_nb.registry import METHODS
from hcat_nb.runs.characterize import characterize
from hcat_nb.runs.run import Run
from hcat_nb.training.events import Control, Listener

SMALL = {"epochs": 3, "seed": 0, "batch_size": 32}


def table(n: int = 200, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """200 rows x 4 features, 3 classes that can be learned."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n)
    return rng.normal(size=(n, 4)) + np.eye(3, 4)[y] * 3, y


def small_net() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 3))


class Caching(nn.Module):
    """Makes a parameter at its first forward, and keeps a tensor of it."""

    def __init__(self):
        super().__init__()
        self.lazy = nn.LazyLinear(8)
        self.drop, self.head = nn.Dropout(0.5), nn.Linear(8, 3)
        self.kept = None

    def forward(self, x):
        if self.kept is None or self.kept.shape != x.shape:
            self.kept = torch.full_like(x, 0.5)
        return self.head(self.drop(torch.relu(self.lazy(x * self.kept))))


def same_scores(first: Run, second: Run) -> bool:
    return np.array_equal(first.scores.to_numpy(), second.scores.to_numpy(), equal_nan=True)


class TestReproducibility:
    def test_the_same_seed_is_equal_to_the_bit_and_another_differs(self):
        x, y = table()
        first, second = (characterize(x, y, **SMALL) for _ in range(2))
        assert same_scores(first, second)
        assert not same_scores(first, characterize(x, y, **(SMALL | {"seed": 1})))

    def test_the_notebooks_random_state_is_untouched(self):
        x, y = table()
        torch.manual_seed(5)
        np.random.seed(5)  # noqa: NPY002
        random.seed(5)
        before = (torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate())  # noqa: NPY002
        characterize(x, y, hardness="uniform", **SMALL)
        assert torch.equal(before[0], torch.get_rng_state())
        assert np.array_equal(before[1], np.random.get_state()[1])  # noqa: NPY002
        assert before[2] == random.getstate()

    def test_data_seed_moves_the_flags_and_model_seed_does_not(self):
        x, y = table()
        runs = [
            characterize(x, y, hardness="uniform", methods="aum", **SMALL, **seeds)
            for seeds in ({}, {"model_seed": 9}, {"data_seed": 9})
        ]
        flags = [run.truth["is_hard"].to_numpy() for run in runs]
        assert np.array_equal(flags[0], flags[1])
        assert not np.array_equal(flags[0], flags[2])
        assert not same_scores(runs[0], runs[1])


class TestIndependence:
    def test_scores_do_not_depend_on_the_other_methods(self):
        x, y = table()
        together = characterize(x, y, **SMALL)
        for name in METHODS.names():
            alone = characterize(x, y, methods=name, **SMALL)
            assert np.array_equal(alone.scores[name], together.scores[name])

    def test_scores_do_not_depend_on_the_observation_batch(self):
        x, y = table()
        one, other = (
            characterize(x, y, observe_batch_size=size, **SMALL).scores for size in (7, 200)
        )
        # another batch size may take another matrix kernel
        assert np.allclose(one, other, atol=2e-6)

    def test_the_users_data_and_model_are_not_changed(self):
        x, y = table()
        net = small_net()
        kept = x.copy(), y.copy(), {k: v.clone() for k, v in net.state_dict().items()}
        characterize(x, y, model=net, hardness="uniform", **SMALL)
        assert np.array_equal(x, kept[0])
        assert np.array_equal(y, kept[1])
        assert all(torch.equal(kept[2][k], v) for k, v in net.state_dict().items())


def test_a_mixture_is_given_as_perturb_takes_it():
    x, y = table()
    parts = {"uniform": 0.05, "ood_covariate": {"p": 0.1, "strength": 0.7}}
    run = characterize(x, y, hardness=parts, methods="aum", **SMALL)
    assert run.truth.equals(perturb(load(x, y), parts, seed=0).truth)
    assert run.truth.hardness.value_counts().to_dict() == {
        "none": 170, "ood_covariate": 20, "uniform": 10
    }  # fmt: skip
    assert set(run.evaluate().hardness) == {"ood_covariate", "uniform"}


def test_a_wrong_listener_is_refused_before_the_data_are_read():
    with pytest.raises(HcatError, match="a listener is a str"):
        characterize("digits", listeners=["bar"], root="/nowhere")
    with pytest.raises(HcatError, match="control is a str"):
        characterize("digits", control="stop")


class TestOutcome:
    def test_every_sample_has_a_score_of_every_method(self, image_run):
        assert list(image_run.scores) == METHODS.names()
        assert (image_run.scores.dtypes == np.float32).all()
        assert np.isfinite(image_run.scores.to_numpy()).all()
        assert image_run.scores.index.name == "sample_id"

    def test_the_users_own_data_have_the_name_given(self):
        run = characterize(*table(), name="irises", methods="el2n", **SMALL)
        assert repr(run).startswith("<Run: irises, 200 samples;")

    def test_planted_label_noise_ranks_high(self):
        run = characterize("digits", subset=600, hardness="uniform", p=0.1, epochs=8, seed=0)
        auroc = run.evaluate().set_index("hcm")["auroc"]
        # expected >= .99 on easy data; forgetting has many ties
        assert auroc[["aum", "dataiq", "datamaps", "el2n", "loss"]].min() > 0.97
        assert auroc["forgetting"] > 0.85

    def test_info_says_what_decided_the_numbers(self, image_run):
        info = image_run.info
        assert info["dataset"]["n_samples"] == 200
        assert info["embedding"] == "classifier.1"
        assert info["versions"]["torch"] == torch.__version__.partition("+")[0]
        assert info["methods"]["conf_agree"]["options"]["k"] == 10
        assert {"load", "prepare", "train", "observe", "score", "total"} <= set(image_run.timings)

    def test_kept_dynamics_are_the_confidence(self, image_run):
        mean = image_run.dynamics.to_numpy().mean(1)
        # float32 mean of three epochs
        assert np.allclose(mean, image_run.details["confidence"], atol=1e-6)

    def test_a_network_with_batchnorm_takes_65_rows_in_batches_of_64(self):
        x, y = table(65)
        net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))
        run = characterize(x, y, model=net, epochs=3, batch_size=64, methods="aum forgetting")
        assert np.isfinite(run.scores.to_numpy()).all()
        assert (run.details["aum_status"] == "").all()
        assert "joined the batch before" in run.info["notes"][0]

    def test_a_module_that_keeps_what_its_forward_makes_still_trains(self):
        run = characterize(*table(), model=Caching, **SMALL)
        assert np.isfinite(run.scores.to_numpy()).all()

    def test_the_same_table_as_a_frame_a_tensor_and_a_torch_dataset(self):
        x, y = table()
        x = x.astype(np.float32)
        frame = pd.DataFrame(x, columns=list("abcd")).assign(species=y)
        dataset = torch.utils.data.TensorDataset(torch.tensor(x), torch.tensor(y))
        runs = [
            characterize(x, y, **SMALL),
            characterize(torch.tensor(x), torch.tensor(y), **SMALL),
            characterize(frame, target="species", **SMALL),
            characterize(dataset, **SMALL),
            characterize(torch.utils.data.DataLoader(dataset, shuffle=True), **SMALL),
        ]
        assert all(same_scores(runs[0], run) for run in runs[1:])


class TestLabels:
    """Reports A01, A02, A03, A05, A06, A10."""

    def test_a_class_that_only_the_model_knows(self):
        x, y = table()
        y = np.array([0, 1, 3])[y]
        net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 4))
        run = characterize(x, y, model=net, hardness="uniform", **SMALL)
        assert np.isfinite(run.scores.to_numpy()).all()
        assert run.info["dataset"]["class_counts"][2] == 0
        assert "no sample of class 2" in run.info["dataset"]["notes"]
        assert set(run.details["label"]) == {0, 1, 3}
        assert set(run.truth["observed_label"]) == {0, 1, 3}

    @pytest.mark.parametrize("values", [(10, 20, 30), (1, 2, 3), ("oak", "elm", "ash")])
    def test_labels_of_any_kind_are_shown_as_given(self, values):
        x, y = table()
        order = sorted(values)
        coded = characterize(x, y, **SMALL)
        named = characterize(x, np.array(order)[y], **SMALL)
        assert same_scores(coded, named)
        assert list(named.details["label"].cat.categories) == order

    def test_two_outputs_for_three_classes_stop_before_training(self):
        x, y = table()
        message = r"2 outputs for 3 classes \(the largest label is 2\); expected 3 outputs"
        with pytest.raises(ModelError, match=message):
            characterize(x, y, model=nn.Linear(4, 2), **SMALL)

    def test_unlabelled_rows_that_are_kept_are_scored_by_label_free_methods_only(self):
        x, y = table()
        y = y.astype(float)
        y[[8, 141]] = np.nan
        run = characterize(x, y, on_missing_label="keep", **SMALL)
        free = [name for name in run.methods if not METHODS.get(name).looks_at_labels]
        bound = [name for name in run.methods if name not in free]
        assert np.isfinite(run.scores[free].to_numpy()).all()
        assert np.isnan(run.scores.loc[[8, 141], bound].to_numpy()).all()
        assert (run.details.loc[[8, 141], [f"{name}_status" for name in bound]] == "no_label").all(
            axis=None
        )
        assert run.details["label"].isna().sum() == 2

    def test_unreadable_rows_that_are_kept_have_no_score_and_a_reason(self):
        x, y = table()
        x[17, 2], x[40, 0] = np.nan, np.inf
        run = characterize(x, y, on_bad_row="keep", **SMALL)
        assert run.scores.loc[[17, 40]].isna().all(axis=None)
        assert run.scores.drop([17, 40]).notna().all(axis=None)
        assert (
            run.details.loc[17, [f"{name}_status" for name in run.methods]] == "unreadable"
        ).all()

    def test_a_lone_row_of_a_class_is_judged_by_nobody(self):
        x, y = table()
        y[y == 2] = 1
        y[50] = 2
        run = characterize(x, y, **SMALL)
        assert run.details.loc[50, "cleanlab_status"] == "rare_class"
        assert not run.flags.loc[50, "cleanlab"]
        hardest = run.hardest(None, by="cleanlab").frame
        assert hardest.loc[50, "verdict"] == "class too rare to judge"

    def test_ids_are_the_users_own(self):
        x, y = table()
        frame = pd.DataFrame(x, columns=list("abcd")).assign(y=y)
        gaps = frame.iloc[::2]
        run = characterize(gaps, target="y", **SMALL)
        assert run.scores.index.tolist() == gaps.index.tolist()
        twice = frame.set_axis([f"s{i // 2}" for i in range(len(frame))])
        run = characterize(twice, target="y", **SMALL)
        assert run.scores.index.tolist() == twice.index.tolist()
        assert run.scores["position"].tolist() == list(range(200))
        assert run.details["position"].equals(run.scores["position"])


class StopAfter(Listener):
    def __init__(self, control, epoch, *, at_step=False):
        self.control, self.epoch, self.at_step = control, epoch, at_step

    def on_epoch(self, event):
        if event.epoch == self.epoch and not self.at_step:
            self.control.stop.set()

    def on_step(self, event):
        if event.epoch == self.epoch and event.step == 2 and self.at_step:
            self.control.stop.set()


class TestEnds:
    @pytest.mark.parametrize("at_step", [False, True])
    def test_a_stopped_run_is_a_shorter_run(self, at_step, tmp_path):
        x, y = table()
        control = Control()
        stop = StopAfter(control, 3 if at_step else 2, at_step=at_step)
        # By default, which epochs these two read depends on how many are planned.
        fixed = {"grand": {"at": 1}, "vog": {"checkpoints": "all"}}
        long = SMALL | {"epochs": 9, "method_options": fixed}
        run = characterize(x, y, control=control, listeners=[stop], out=tmp_path / "run", **long)
        shorter = characterize(x, y, **(long | {"epochs": 2}))
        assert run.info["outcome"] == "stopped"
        assert len(run.history) == 2
        assert np.array_equal(run.details["confidence"], shorter.details["confidence"])
        assert same_scores(run, shorter)
        assert (tmp_path / "run" / "run.json").is_file()

    def test_a_stop_before_the_first_epoch_says_so(self):
        control = Control()
        control.stop.set()
        with pytest.raises(HcatError, match="before its first epoch ended"):
            characterize("wine", control=control)

    def test_divergence_keeps_the_epochs_before(self, tmp_path):
        x, y = table()
        with pytest.raises(DivergedError) as caught:
            characterize(
                x * 1e4, y, model=small_net, lr=1e30, normalize="none", out=tmp_path / "r", **SMALL
            )
        assert (caught.value.run is None) == (not caught.value.training.history)

    def test_running_again_after_errors_leaves_nothing_behind(self, live_tensor_bytes):
        x, y = table()

        class Broken(Listener):
            essential = True

            def on_epoch(self, event):
                raise KeyError("defect")

        sizes, threads = [], threading.active_count()
        for attempt in range(1, 6):
            broken = [Broken()] if attempt in (2, 4) else []
            with contextlib.suppress(KeyError):
                run = characterize(x, y, model=small_net, listeners=broken, **SMALL)
            sizes.append(live_tensor_bytes())
        assert run.info["outcome"] == "finished"
        assert sizes[-1] <= sizes[0] * 1.1
        assert threading.active_count() == threads


class Odd(nn.Module):
    """A network whose outputs come in many forms."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self.form, self.body, self.head = form, nn.Linear(4, 8), nn.Linear(8, 2)

    def forward(self, x):
        if self.form == "autocast":
            with torch.autocast("cpu", torch.bfloat16):
                return self.head(torch.relu(self.body(x)))
        hidden = torch.relu(self.body(x))
        logits = self.head(hidden)
        return {
            "plain": logits,
            "object": types.SimpleNamespace(logits=logits, loss=None),
            "dict": {"loss": None, "logits": logits},
            "tuple": (logits, hidden),
            "auxiliary": (logits, 2 * logits) if self.training else logits,
        }[self.form]


class TestOddModules:
    """A67: they train, and score as the plain one does."""

    X = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    Y = (X[:, 0] > 0).astype(int)

    def scores(self, model):
        run = characterize(self.X, self.Y, model=model, epochs=2, methods="aum vog grand", seed=0)
        return run.scores

    @pytest.mark.parametrize("form", ["object", "dict", "tuple", "auxiliary"])
    def test_outputs_that_are_no_tensor(self, form):
        assert self.scores(lambda: Odd(form)).equals(self.scores(lambda: Odd("plain")))

    def test_autocast_in_the_forward(self):
        scores = self.scores(lambda: Odd("autocast"))
        assert np.isfinite(scores.to_numpy()).all()

    @pytest.mark.filterwarnings("ignore:.*torch.jit", "ignore:the gradient norms")
    def test_a_function_may_make_a_torch_jit_module(self):
        traced = self.scores(lambda: torch.jit.trace(Odd("plain"), torch.ones(2, 4)))
        ours = self.scores(lambda: Odd("plain"))
        assert traced.to_numpy() == pytest.approx(ours.to_numpy(), abs=1e-4)  # float32 sums

    def test_a_tuple_is_told(self):
        run = characterize(self.X, self.Y, model=lambda: Odd("tuple"), epochs=1, methods="loss")
        assert any("of the tuple that the model returns" in note for note in run.info["notes"])
