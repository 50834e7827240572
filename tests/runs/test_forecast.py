"""The forecast: the arithmetic of passes, and the figures of a run that then happens."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import hcat_nb as hcat
from hcat_nb.errors import TooLargeError, UnknownNameError
from hcat_nb.runs import _memory_need
from hcat_nb.runs import forecast as module
from hcat_nb.runs.forecast import forecast

SETTINGS = {"epochs": 5, "methods": "aum,el2n,vog,conf_agree", "seed": 0}


def test_each_part_is_its_trial_times_its_passes(monkeypatch):
    """With a made trial: 300 rows a trial of 300, so a pass is what the trial took."""
    made = {"forward": 1.0, "input_gradients": 2.0, "dropout": 7.0}
    monkeypatch.setattr(
        "hcat_nb.observation.observer.Observer.trial", lambda _self, _rows: dict(made)
    )
    monkeypatch.setattr(module, "_step_seconds", lambda *_: 0.5)
    images = np.random.default_rng(0).integers(0, 256, (300, 1, 8, 8), np.uint8)
    labels = np.arange(300) % 3
    found = forecast(images, labels, model="mlp", batch_size=64, **SETTINGS)
    # five epochs of five batches; five forwards, of el2n, vog and conf_agree in equal parts
    assert found.training == 0.5 * 5 * 5
    assert found.observation == pytest.approx(5 * 1 + 5 * 2 + 7)
    assert found.table["seconds"].to_dict() == pytest.approx(
        {"aum": 0, "el2n": 5 / 3, "vog": 5 / 3 + 10, "conf_agree": 5 / 3 + 7}
    )
    assert found.table.loc["vog", "mb"] == pytest.approx(2 * 4 * 300 * 64 / 1e6, rel=0.05)
    twice = forecast(images, labels, model="mlp", batch_size=64, seeds=2, **SETTINGS)
    assert twice.seconds == pytest.approx(2 * found.seconds)


def test_extra_trainings_count(monkeypatch):
    monkeypatch.setattr(module, "_step_seconds", lambda *_: 1.0)
    options = {"epochs": 2, "methods": "cleanlab", "seed": 0, "batch_size": 50}
    plain = forecast("wine", **options)
    folded = forecast("wine", method_options={"cleanlab": {"cv": 2}}, **options)
    assert plain.training == 2 * 4  # 178 rows, 4 batches
    assert folded.training == 2 * (4 + 2 + 2)


def test_a_run_then_takes_about_that_long():
    settings = {"hardness": "uniform", "p": 0.1, "epochs": 4, "seed": 0}
    found = forecast("digits", **settings)
    run = hcat.characterize("digits", **settings)
    # No promise on a machine shared with others; another order of magnitude is a fault.
    assert 0.2 < found.training / run.timings["train"] < 5
    assert 0.2 < found.observation / run.timings["observe"] < 5
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
    assert module._time(seconds) == text
