"""The forecast: the arithmetic of passes, and the figures of a run that then happens."""

from __future__ import annotations

import itertools
import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn.modules.module import register_module_forward_hook

import hcat_nb as hcat
from hcat_nb.casts import time_words
from hcat_nb.errors import TooLargeError, UnknownNameError
from hcat_nb.runs.execution import forecast as module
from hcat_nb.runs.execution import memory_need as _memory_need
from hcat_nb.runs.execution.forecast import REST, TRAINING, forecast

ALONE = {"judges": False, "learning_check": False}  # the figures of methods alone
SETTINGS = {"epochs": 5, "methods": "aum,el2n,vog,conf_agree", "seed": 0, **ALONE}


@pytest.fixture
def made_trial(monkeypatch):
    """Each step takes half a second, and observing what these seconds say, by kind of epoch."""
    now = 0.0

    def end_epoch(observer, epoch, *, last):
        share = len(observer.rows) / 300
        seconds = {"forward": 1.0, "vog": 0.5}
        if epoch in (1, 3):
            seconds["input_gradients"] = 2.0
        if last:
            seconds["dropout"] = 7.0
        observer.clock.seconds = {part: one * share for part, one in seconds.items()}
        nonlocal now
        now += (sum(seconds.values()) + 0.25) * share

    monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: now))
    monkeypatch.setattr("hcat_nb.observation.observer.Observer.end_epoch", end_epoch)
    monkeypatch.setattr(module, "_step_seconds", lambda *_: (0.5, {"aum": 0.01}))
    monkeypatch.setattr(module, "_forward_seconds", lambda _: 0.1)
    monkeypatch.setattr(module, "_ROWS", 150)


def test_each_part_is_its_trial_times_its_epochs(made_trial):
    images = np.random.default_rng(0).integers(0, 256, (300, 1, 8, 8), np.uint8)
    labels = np.arange(300) % 3
    settings = SETTINGS | {"method_options": {"vog": {"checkpoints": [1, 3]}}}
    found = forecast(images, labels, model="mlp", batch_size=64, **settings)
    # five epochs of five batches; five forwards, of el2n, vog and conf_agree in equal parts
    assert found.training == 0.5 * 5 * 5
    seconds = found.table["seconds"]
    assert seconds[["aum", "el2n", "vog", "conf_agree"]].to_dict() == pytest.approx(
        {
            "aum": 0.01 * 300 * 5,
            "el2n": 5 / 3,
            "vog": 5 / 3 + 2 * 2.0 + 5 * 0.5,
            "conf_agree": 5 / 3 + 7,
        }
    )
    assert seconds[REST] == pytest.approx(5 * 0.25)
    assert found.seconds == pytest.approx(seconds.sum())
    assert found.table.loc["vog", "mb"] == pytest.approx(2 * 4 * 300 * 64 / 1e6, rel=0.05)
    assert found.table["mb"].sum() == pytest.approx(found.needed / 1e6)
    twice = forecast(images, labels, model="mlp", batch_size=64, seeds=2, **settings)
    assert twice.seconds == pytest.approx(2 * found.seconds)


def test_extra_trainings_are_the_cost_of_who_asked_for_them(made_trial):
    options = {"epochs": 2, "methods": "cleanlab el2n", "seed": 0, "batch_size": 50, **ALONE}
    plain = forecast("wine", **options)
    folded = forecast("wine", method_options={"cleanlab": {"cv": 2}}, **options)
    assert plain.training == folded.training == 0.5 * 2 * 4  # 178 rows, 4 batches
    # two folds of 89: 2 batches each, and each looks at the other 89
    extra = 2 * 2 * (0.5 * 2 + 0.1 * 89)
    assert folded.table.loc["cleanlab", "seconds"] == pytest.approx(extra)
    # who reads other trainings alone has no share of this one's pass
    assert folded.seconds == pytest.approx(plain.seconds + extra)


@pytest.fixture
def passes(monkeypatch):
    """A clock that counts how often a layer is called, whatever the machine does."""
    calls = itertools.count(1)
    now = [0]
    hook = register_module_forward_hook(lambda *_: now.__setitem__(0, next(calls)))
    monkeypatch.setattr(time, "perf_counter", lambda: float(now[0]))
    yield
    hook.remove()


@pytest.mark.usefixtures("passes")
def test_a_run_then_takes_about_that_long():
    settings = {"hardness": "uniform", "p": 0.1, "epochs": 4, "seed": 0}
    found = forecast("digits", keep_dynamics="logits", **settings)
    run = hcat.characterize("digits", keep_dynamics="logits", **settings)
    # Scaled by samples from a few whole batches: off by less than one of an epoch's 57.
    assert found.training == pytest.approx(run.timings["train"], rel=1 / 57)
    # Of the final pass it counts an epoch's; no promise, another order of magnitude is a fault.
    assert 1 < (found.seconds - found.training) / run.timings["observe"] < 5
    assert set(found.table.index) == {*run.methods, "linear", "knn_label", TRAINING, REST}
    assert (found.table["seconds"] >= 0).all()
    assert "about" in repr(found)
    assert "conf_agree" in repr(found)


def test_it_leaves_the_users_model_and_random_state_alone():
    net = torch.nn.Sequential(torch.nn.Linear(13, 3))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    torch.manual_seed(5)
    state = torch.get_rng_state()
    forecast("wine", model=net, epochs=2, methods="aum,el2n", seed=0)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())


def test_what_the_run_refuses_it_refuses(monkeypatch):
    with pytest.raises(UnknownNameError, match="wines"):
        forecast("wines")
    monkeypatch.setattr(_memory_need, "free_memory", lambda _device: 10)
    with pytest.raises(TooLargeError):
        forecast("wine", epochs=2, seed=0)


@pytest.mark.parametrize(
    ("seconds", "text"), [(7.4, "7 s"), (99.6, "100 s"), (600, "10 min"), (9000, "2.5 h")]
)
def test_times_in_words(seconds, text):
    assert time_words(seconds) == text
