"""Reproducible blocks."""

from __future__ import annotations

import random
import threading
from typing import ClassVar

import numpy as np
import pytest
import torch

from hcat_nb.data.loading import load
from hcat_nb.errors import SpecError
from hcat_nb.runs.characterize import characterize
from hcat_nb.training.events import Listener
from hcat_nb.training.seed import isolated_rng, random_state, set_random_state


def draw() -> tuple[float, float, float]:
    return torch.rand(1).item(), np.random.rand(), random.random()  # noqa: NPY002


def test_the_same_seed_gives_the_same_draws():
    with isolated_rng(3):
        first = draw()
    with isolated_rng(3):
        assert draw() == first
    with isolated_rng(4):
        assert draw() != first


def test_the_state_outside_is_untouched_also_after_an_error():
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002
    random.seed(0)
    expected = draw()
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002
    random.seed(0)
    try:
        with isolated_rng(3):
            draw()
            raise KeyError
    except KeyError:
        pass
    assert draw() == expected


def test_the_random_state_comes_back_for_every_generator():
    def draw() -> tuple[float, ...]:
        return (
            float(torch.rand(())),
            random.random(),
            random.gauss(0, 1),
            float(np.random.rand()),  # noqa: NPY002
            float(np.random.randn()),  # noqa: NPY002
        )

    cpu = torch.device("cpu")
    with isolated_rng(3):
        draw()  # the normal generators of random and NumPy now hold a second number
        state = random_state(cpu)
        expected = draw()
    with isolated_rng(4):
        set_random_state(state, cpu)
        assert draw() == expected
        assert draw() != expected
    assert all(isinstance(value, torch.Tensor) for value in state.values())


def test_two_threads_never_draw_from_the_same_streams(monkeypatch):
    monkeypatch.setattr("hcat_nb.training.seed._PATIENCE", 0.05)
    inside, over = threading.Event(), threading.Event()

    def train() -> None:
        with isolated_rng(3), isolated_rng(4):  # one thread may nest them
            inside.set()
            over.wait(300)

    thread = threading.Thread(target=train)
    thread.start()
    assert inside.wait(300)
    before = torch.get_rng_state()
    with pytest.raises(SpecError, match="another thread of this process trains a run"):
        isolated_rng(3).__enter__()
    assert torch.equal(torch.get_rng_state(), before)
    over.set()
    thread.join()
    with isolated_rng(3):
        first = draw()
    with isolated_rng(3):
        assert draw() == first


class Drawing(Listener):
    """Draws from every global generator, and switches gradients off."""

    def _draw(self, _event):
        torch.rand(3)
        np.random.rand(3)  # noqa: NPY002
        random.random()
        torch.set_grad_enabled(False)

    on_start = on_step = on_epoch = on_extra = on_end = _draw


class TestSurroundings:
    """A68: nothing around a run changes its scores."""

    OPTIONS: ClassVar = {"epochs": 2, "methods": "aum conf_agree vog grand", "seed": 0}

    def scores(self, **more):
        return characterize("wine", **self.OPTIONS, **more).scores

    def test_what_listeners_draw_does_not_reach_it(self):
        assert self.scores(listeners=[Drawing()]).equals(self.scores())
        assert torch.is_grad_enabled()

    @pytest.mark.parametrize(
        "around",
        [
            torch.no_grad,
            torch.inference_mode,
            lambda: torch.autocast("cpu", torch.bfloat16),
        ],
        ids=["no_grad", "inference_mode", "autocast"],
    )
    def test_nor_does_a_context_of_torch(self, around):
        plain = self.scores()
        with around():
            assert self.scores().equals(plain)
            data = load("wine")  # made within, used outside
        assert characterize(data, **self.OPTIONS).scores.equals(plain)

    def test_nor_does_another_default_type(self):
        plain = self.scores()
        torch.set_default_dtype(torch.float64)
        try:
            assert self.scores().equals(plain)
            assert torch.get_default_dtype() == torch.float64
        finally:
            torch.set_default_dtype(torch.float32)
