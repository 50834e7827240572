"""A training of the user's own, watched."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import hcat_nb as hcat
from hcat_nb.errors import DataError, HcatError, ModelError, SpecError, StoreError, UnknownNameError
from hcat_nb.models._adapter import AdaptedModel, fit_scaling
from hcat_nb.models._building import build_network
from hcat_nb.seeds import child_seed
from hcat_nb.training.events import Listener
from hcat_nb.training.lean_adam import LeanAdam
from hcat_nb.training.loop import batches
from hcat_nb.training.seed import isolated_rng

E, SEED = 4, 3


def our_loop(data, name, told=True, **options):
    """Return the run of a loop that does what ours does, watched."""
    with isolated_rng(child_seed(SEED, "weights")):
        net = build_network(name, data, {})
    model = AdaptedModel(fit_scaling(data, "auto"), net)
    watch = hcat.watch(net, data, epochs=E, seed=SEED, normalize="auto", **options)
    optimizer = LeanAdam(list(model.parameters()), lr=1e-3)
    order = torch.Generator().manual_seed(child_seed(SEED, "order"))
    with isolated_rng(child_seed(SEED, "dropout")):
        for _ in range(E):
            model.train()
            for rows in batches(torch.randperm(len(data), generator=order), 64):
                logits = model(data.features[rows])
                loss = nn.functional.cross_entropy(logits.float(), data.labels[rows])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                if told:
                    watch.batch(data.sample_ids[rows.numpy()], logits)
            watch.end_epoch()
    return watch.run()


@pytest.mark.parametrize("observe", ["pass", "training"])
@pytest.mark.parametrize(("source", "name"), [("digits", "cnn"), ("wine", "dense")])
def test_scores_of_our_own_loop_are_those_of_characterize_to_the_bit(source, name, observe):
    data = hcat.load(source, subset=150)
    run = our_loop(data, name, observe=observe)
    ours = hcat.characterize(
        data, model=name, epochs=E, seed=SEED, learning_check=False, observe=observe
    )
    assert len(run.methods) == 13
    assert run.scores.equals(ours.scores)
    assert run.details.equals(ours.details)
    assert run.flags.equals(ours.flags)
    columns = ["accuracy"]
    assert run.history[columns].equals(ours.history[columns])
    # One mean over all samples against a sum of the batches' means: rounding of float32.
    assert np.allclose(run.history["loss"], ours.history["loss"], rtol=1e-5)


def net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 3))


def data(n: int = 60) -> tuple[torch.Tensor, torch.Tensor]:
    y = torch.arange(n) % 3
    x = torch.randn(n, 4, generator=torch.Generator().manual_seed(2))
    x[:, 0] += 2 * y
    return x, y


def train(watch, model, epochs, told=True, ids=None):
    x, y = data()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(epochs):
        for rows in torch.randperm(len(y)).split(16):
            logits = model(x[rows])
            optimizer.zero_grad()
            nn.functional.cross_entropy(logits, y[rows]).backward()
            optimizer.step()
            if told:
                watch.batch(rows if ids is None else [ids[row] for row in rows], logits)
        watch.end_epoch()


def test_from_training_logits_the_scores_are_the_papers_equations_on_them():
    x, y = data()
    model = net()
    watch = hcat.watch(model, (x, y), epochs=3, observe="training", methods="el2n loss datamaps")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    seen = np.zeros((3, len(y), 3))
    for epoch in range(3):
        for rows in torch.randperm(len(y)).split(16):
            logits = model(x[rows])
            optimizer.zero_grad()
            nn.functional.cross_entropy(logits, y[rows]).backward()
            optimizer.step()
            seen[epoch, rows] = logits.detach().numpy()
            watch.batch(rows, logits)
        watch.end_epoch()
    run = watch.run()
    p = np.exp(seen) / np.exp(seen).sum(2, keepdims=True)
    own = p[:, np.arange(len(y)), y]
    errors = np.linalg.norm(p - np.eye(3)[y], axis=2)
    expected = {"el2n": errors.mean(0), "loss": -np.log(own).mean(0), "datamaps": 1 - own.mean(0)}
    for name, values in expected.items():
        np.testing.assert_allclose(run.scores[name], values, rtol=1e-5)  # float32
    np.testing.assert_allclose(run.details["confidence"], own.mean(0), rtol=1e-5)
    np.testing.assert_allclose(run.details["variability"], own.std(0), rtol=1e-3, atol=1e-6)
    assert any("observe=training" in note for note in run.info["notes"])


def test_after_early_stopping_it_says_which_epochs_were_used():
    model = net()
    watch = hcat.watch(model, data(), epochs=20, epoch_mean="second_half")
    train(watch, model, 9)
    run = watch.run()
    assert run.info["outcome"] == "stopped"
    assert len(run.history) == 9
    notes = run.info["notes"]
    assert "9 of 20 planned epochs; the last one's model is the final one" in notes
    assert "vog used epochs 4, 8 of the planned 4, 8, 12, 16, 20" in notes
    assert "grand used epochs 4 of the planned 4" in notes
    assert any(note.startswith("aum used epochs none of the planned 11") for note in notes)
    assert np.isfinite(run.scores["cleanlab"]).all()  # of the final model
    assert np.isfinite(run.scores["prototypicality"]).all()
    assert run is watch.run()


def test_what_was_not_told_is_skipped_and_says_so():
    model = net()
    watch = hcat.watch(model, data(), epochs=2)
    train(watch, model, 2, told=False)
    run = watch.run()
    assert set(run.info["skipped"]) == {"aum", "forgetting"}
    assert "watch.batch(ids, logits)" in run.info["skipped"]["aum"]
    assert "aum" not in run.scores
    assert "el2n" in run.scores
    for options in ({"methods": "aum el2n"}, {"methods": "el2n", "observe": "training"}):
        watch = hcat.watch(model, data(), epochs=2, **options)
        with pytest.raises(SpecError, match=r"watch.batch was not called in epoch 1"):
            watch.end_epoch()


def test_what_the_model_cannot_give_is_skipped_or_refused_by_name():
    class Hard(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Parameter(torch.randn(4, 3))
            self.drop = nn.Dropout(0.3)

        def forward(self, x):
            return self.drop((x > 0).float()) @ self.table

    watch = hcat.watch(Hard(), data(), epochs=1)
    watch.end_epoch()
    skipped = watch.run().info["skipped"]
    assert {"vog", "prototypicality"} <= set(skipped)
    assert "two epochs" in skipped["vog"]
    with pytest.raises(SpecError, match="no gradient reaches the model's input"):
        hcat.watch(Hard(), data(), epochs=3, methods="vog")
    with pytest.raises(SpecError, match="two trainings with threshold samples"):
        hcat.watch(
            net(),
            data(),
            epochs=3,
            methods="aum",
            method_options={"aum": {"threshold_samples": True}},
        )
    stepping = net()
    for one in stepping.parameters():
        one.register_post_accumulate_grad_hook(lambda _: None)
    assert "hook" in hcat.watch(stepping, data(), epochs=2)._pipeline.skipped["grand"]


def test_a_run_is_saved_read_rescored_and_not_resumed(tmp_path):
    model = net()
    wrong = [bool(i % 5 == 0) for i in range(60)]
    options = {"truth": wrong, "keep_dynamics": "logits", "methods": "el2n", "name": "mine"}
    with hcat.watch(model, data(), epochs=2, out=tmp_path / "run", **options) as watch:
        train(watch, model, 2)
    run = hcat.load_run(tmp_path / "run")
    assert repr(run).startswith("<Run: mine, 60 samples, truth given; own training, Sequential, 2")
    assert json.loads((tmp_path / "run" / "run.json").read_text())["info"]["kind"] == "watched"
    assert run.scores.equals(watch.run().scores)
    assert "auroc" in run.evaluate()
    with pytest.raises(StoreError, match="cannot be resumed"):
        hcat.resume(tmp_path / "run")
    from hcat_nb.api.rescore import rescore

    assert rescore(tmp_path / "run", "loss").methods == ["el2n", "loss"]
    with pytest.raises(StoreError, match="holds a run already"):
        hcat.watch(model, data(), epochs=2, out=tmp_path / "run")


class Hears(Listener):
    def __init__(self) -> None:
        self.heard: list[str] = []

    def on_start(self, event):
        self.heard.append(f"start {event.n_epochs} {event.model}")

    def on_epoch(self, event):
        self.heard.append(f"epoch {event.epoch} {len(event.map.confidence)} {event.loss > 0}")
        assert set(event.scores.take()) >= {"el2n"}

    def on_end(self, event):
        self.heard.append(f"end {event.outcome} {event.epochs}")


def test_listeners_hear_what_they_hear_of_any_run():
    hears, model = Hears(), net()
    watch = hcat.watch(model, data(), epochs=3, listeners=[hears], methods="el2n")
    train(watch, model, 2)
    watch.run()
    one, two = ("epoch 1 60 True", "epoch 2 60 True")
    assert hears.heard == ["start 3 Sequential", one, two, "end stopped 2"]
    hears.heard.clear()
    with pytest.raises(ZeroDivisionError), hcat.watch(model, data(), epochs=3, listeners=[hears]):
        raise ZeroDivisionError
    assert hears.heard == ["start 3 Sequential", "end failed 0"]


def test_ids_are_the_users_own():
    x, y = data()
    import pandas as pd

    names = [f"case {i}" for i in range(60)]
    frame = pd.DataFrame(x.numpy(), index=names).assign(y=y.numpy())
    model = net()
    watch = hcat.watch(model, frame, epochs=2, target="y", methods="aum")
    train(watch, model, 2, ids=names)
    run = watch.run()
    assert list(run.scores.index) == names
    other = net()
    by_position = hcat.watch(other, (x, y), epochs=2, methods="aum")
    with pytest.raises(DataError, match="no sample with the id 60"):
        by_position.batch([60], torch.zeros(1, 3))
    with pytest.raises(DataError, match=r"shape \(1, 2\) for 1 ids"):
        by_position.batch([0], torch.zeros(1, 2))


def test_what_is_wrong_is_said_before_training():
    for options in ({"lr": 0.1}, {"hardness": "uniform"}, {"folds": "5"}, {"on_bad_row": "drop"}):
        with pytest.raises(SpecError, match="for a training that hcat_nb runs itself"):
            hcat.watch(net(), data(), epochs=2, **options)
    with pytest.raises(UnknownNameError, match="unknown option 'metods'"):
        hcat.watch(net(), data(), epochs=2, metods="aum")
    with pytest.raises(ModelError, match="the model is a str"):
        hcat.watch("dense", data(), epochs=2)
    with pytest.raises(ModelError, match="outputs for 3 classes"):
        hcat.watch(nn.Linear(4, 2), data(), epochs=2)
    with pytest.raises(SpecError, match="no model is watched yet"):
        hcat.watch(None, data(), epochs=2).end_epoch()
    with pytest.raises(HcatError, match="no epoch ended"):
        hcat.watch(net(), data(), epochs=2).run()
    watch = hcat.watch(net(), data(), epochs=1, methods="el2n")
    watch.end_epoch()
    with pytest.raises(SpecError, match="1 of 1 planned epochs are over"):
        watch.end_epoch()
    with pytest.raises(UnknownNameError, match="no callback for 'keras'"):
        watch.callback("keras")


def test_a_forward_of_ones_own_serves_models_of_another_input():
    class Doubles(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(4, 3).double()

        def forward(self, x, scale):
            return self.layer(x) * scale

    watch = hcat.watch(
        Doubles(), data(), epochs=1, methods="el2n", forward=lambda m, x: m(x.double(), 2)
    )
    watch.end_epoch()
    assert np.isfinite(watch.run().scores["el2n"]).all()


@pytest.mark.parametrize("option", ["forward", "collate"])
def test_functions_are_functions(option: str) -> None:
    with pytest.raises(SpecError, match=f"{option} is 'x'; expected a function"):
        hcat.watch(nn.Linear(4, 3), data(), epochs=2, **{option: "x"})


@pytest.mark.parametrize("ids", [3, {"a": 1}, [[1], [2, 3]], None])
def test_ids_of_a_batch_are_one_for_each_row(ids: Any) -> None:
    watch = hcat.watch(nn.Linear(4, 3), data(), epochs=2, methods="el2n")
    with pytest.raises(DataError):
        watch.batch(ids, torch.zeros(1, 3))


@pytest.mark.parametrize("options", [{}, {"observe": "training", "keep_dynamics": "probs"}])
def test_a_training_that_was_stopped_goes_on_and_scores_alike(tmp_path, options):
    def begin(state=None):
        model = net()
        watch = hcat.watch(model, data(), epochs=6, seed=1, **options)
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        if state is not None:
            model.load_state_dict(state["model"])
            optimizer.load_state_dict(state["optimizer"])
            torch.set_rng_state(state["random"])
            watch.load_state_dict(state["watch"])
        return watch, model, optimizer

    def epochs(watch, model, optimizer, n):
        x, y = data()
        for _ in range(n):
            for rows in torch.randperm(len(y)).split(16):
                logits = model(x[rows])
                optimizer.zero_grad()
                nn.functional.cross_entropy(logits, y[rows]).backward()
                optimizer.step()
                watch.batch(rows, logits)
            watch.end_epoch()

    whole = begin()
    epochs(*whole, 6)
    watch, model, optimizer = begin()
    epochs(watch, model, optimizer, 3)
    state = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
    state |= {"random": torch.get_rng_state(), "watch": watch.state_dict()}
    torch.save(state, tmp_path / "mine.pt")
    epochs(watch, model, optimizer, 1)  # what comes after is not in it
    torch.rand(3)
    again = begin(torch.load(tmp_path / "mine.pt", weights_only=True))
    epochs(*again, 3)
    one, two = whole[0].run(), again[0].run()
    assert all(map(torch.equal, whole[1].state_dict().values(), again[1].state_dict().values()))
    assert len(one.methods) == 13
    assert one.scores.equals(two.scores)
    assert one.details.equals(two.details)
    assert one.history[["loss", "accuracy"]].equals(two.history[["loss", "accuracy"]])
    if options:
        assert one.dynamics.equals(two.dynamics)


def test_a_state_fits_the_watch_that_it_is_of():
    def watch(xy=None, **options):
        return hcat.watch(net(), xy or data(), **{"epochs": 3, "methods": "el2n", **options})

    first = watch()
    first.end_epoch()
    state = first.state_dict()
    x, y = data()
    others = [watch((x + 1, y)), watch(methods="loss"), watch(epochs=4), watch(observe="training")]
    for other in others:
        with pytest.raises(StoreError, match=r"the state is of other (data|options)"):
            other.load_state_dict(state)
    with pytest.raises(SpecError, match="epochs were observed already"):
        first.load_state_dict(state)
    with pytest.raises(StoreError, match="no state of a watch"):
        watch().load_state_dict({"model": 1})
    with pytest.raises(StoreError, match="first of several processes"):
        watch().load_state_dict({**state, "states": {}})
    with pytest.raises(SpecError, match="keep_dynamics is 'logits'"):
        watch(keep_dynamics="logits").state_dict()
    first.batch([0], torch.zeros(1, 3))
    with pytest.raises(SpecError, match="epoch 2 has begun"):
        first.state_dict()
    first.end_epoch()
    first.run()
    with pytest.raises(SpecError, match="over and scored"):
        first.state_dict()
    with pytest.raises(SpecError, match="no model is watched yet"):
        hcat.watch(None, data(), epochs=2).state_dict()
