"""Modules that are not plain, and what surrounds a call: a run is the same, or says why not."""

from __future__ import annotations

import random
import types
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import nn

from hcat_nb.api.characterize import characterize
from hcat_nb.data.loading import load
from hcat_nb.training.events import Listener

SMALL = {"epochs": 3, "seed": 0, "batch_size": 32}


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
