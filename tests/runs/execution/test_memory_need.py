"""A run that does not fit is refused before it trains (report A36)."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import hcat_nb as hcat
from hcat_nb.errors import TooLargeError
from hcat_nb.runs.execution import memory_need as _memory_need
from hcat_nb.runs.execution.memory_need import check_memory, free_memory
from hcat_nb.training.events import Listener

NEED = {"training": 10, "aum": 20, "vog": 70}


class Heard(Listener):
    def __init__(self) -> None:
        self.started = False

    def on_start(self, event) -> None:
        self.started = True


def test_what_fits_passes():
    check_memory(NEED, 100, 1000, ["aum", "vog"])


def test_the_largest_method_goes_where_that_is_enough():
    with pytest.raises(TooLargeError, match=r"for vog; .*leave out vog \(methods=aum\)"):
        check_memory(NEED, 30, 1000, ["aum", "vog"])


@pytest.mark.parametrize(("free", "subset"), [(29, 290), (0, 2)])
def test_else_fewer_samples(free, subset):
    with pytest.raises(TooLargeError, match=rf"fewer samples \(subset={subset}\)"):
        check_memory(NEED, free, 1000, ["aum", "vog"])


def test_the_only_method_cannot_go():
    with pytest.raises(TooLargeError, match="subset=714"):
        check_memory({"vog": 70}, 50, 1000, ["vog"])


def test_a_run_is_refused_before_it_trains_and_names_what_helps(monkeypatch):
    images = np.zeros((300, 1, 20, 20), np.uint8)
    images[:, 0, 0, 0] = np.arange(300) % 256
    labels = np.arange(300) % 2
    settings = {"epochs": 2, "methods": "aum,vog", "model": "mlp", "seed": 0}
    heard = Heard()
    needed: list[int] = []
    measured = _memory_need.memory_need

    def noted(*given):
        need = measured(*given)
        needed.append(sum(need.values()))
        return need

    monkeypatch.setattr(_memory_need, "memory_need", noted)
    monkeypatch.setattr(_memory_need, "free_memory", lambda _device: 10**9)
    run = hcat.characterize(images, labels, listeners=[heard], **settings)
    assert run.scores.shape == (300, 2)
    # vog's two float32 copies of 300 x 400 values are 960,000 bytes
    monkeypatch.setattr(_memory_need, "free_memory", lambda _device: needed[0] - 900_000)
    heard.started = False
    with pytest.raises(TooLargeError, match=r"leave out vog \(methods=aum\)"):
        hcat.characterize(images, labels, listeners=[heard], **settings)
    assert not heard.started


def test_what_a_run_needs_is_what_it_then_holds():
    """The forecast of the accumulators against the bytes of their state after the run."""
    from hcat_nb.runs.execution.inputs import Inputs, make_spec
    from hcat_nb.runs.execution.pipeline import Pipeline

    images = np.random.default_rng(0).integers(0, 256, (200, 1, 12, 12), np.uint8)
    inputs = Inputs(images, np.arange(200) % 4, None, None, None)
    study = Pipeline(make_spec(images, None, None, {"epochs": 2, "model": "mlp", "seed": 0}))
    study.prepare(*inputs)
    accumulators = study.accumulators()
    need = _memory_need.memory_need(study.trainer, accumulators)
    study.train([], None)
    for name, one in accumulators.items():
        held = sum(value.nbytes for value in one.state().values())
        # sums of embeddings by class are not foreseen: C x d float64 values
        assert need[name] <= held <= need[name] + 4 * 144 * 16, name
    assert need["training logits"] == 4 * 4 * 200


def test_this_machine_has_some_left():
    assert free_memory(torch.device("cpu")) > 2**20
