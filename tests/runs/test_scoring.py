"""Scoring leaves the tables' columns and nothing of the state."""

from __future__ import annotations

import pytest
import torch

from hcat_nb.methods.base import Context
from hcat_nb.methods.detector import Detector
from hcat_nb.methods.forgetting import Forgetting
from hcat_nb.methods.loss import Loss
from hcat_nb.observation.clock import Clock
from hcat_nb.observation.record import Observation
from hcat_nb.runs._scoring import score_and_release


def told() -> list:
    labels = torch.arange(40) % 4
    logits = torch.randn(3, 40, 4, generator=torch.Generator().manual_seed(0))
    methods = [Detector(), Loss(), Forgetting()]
    for method in methods:
        method.begin(Context(labels, 4, 3))
        for epoch in (1, 2, 3):
            method.observe(Observation("epoch", epoch, torch.arange(40), labels, logits[epoch - 1]))
    return methods


def test_scores_are_the_methods_own_in_their_order_and_states_are_gone():
    clock, methods = Clock(), told()
    outcomes = score_and_release(methods, clock)
    assert list(outcomes) == ["detector", "loss", "forgetting"]
    # Forgetting holds 7 bytes a sample, loss 10, the detector 14.
    assert list(clock.seconds) == ["forgetting", "loss", "detector"]
    for method, same in zip(methods, told(), strict=True):
        one = outcomes[method.name]
        assert one.scores.tolist() == same.scores().scores.tolist()
        assert list(one.status) == same.scores().status
        assert list(one.details) == list(same.details())
        with pytest.raises(AttributeError):
            method.state()
    assert outcomes["loss"].flagged is None
    assert outcomes["detector"].flagged.tolist() == told()[0].flagged().tolist()
