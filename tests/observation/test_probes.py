"""Each need meets the one who measures it."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from hcat_nb.errors import HcatError
from hcat_nb.observation.probes import Batch, TracingProbe, make_probe
from hcat_nb.observation.record import Need
from hcat_nb.observation.traced import traced_forward
from hcat_nb.observation.traits import InputTraits


@pytest.mark.parametrize(
    ("need", "options", "shape"),
    [
        (Need.DROPOUT, (("k", 2),), (5, 2, 3)),
        (Need.AUGMENTED, (("k", 2),), (5, 2, 3)),
        (Need.GRADIENT_NORM, (), (5,)),
        (Need.INPUT_GRADIENTS, (("of", "softmax"),), (5, 4)),
    ],
)
def test_shapes(need, options, shape):
    net = nn.Sequential(nn.Dropout(0.5), nn.Linear(4, 3)).eval()
    x, rows = torch.randn(5, 4), torch.arange(3, 8)
    probe = make_probe(need, options, net, InputTraits(column_stds=torch.ones(4)), n=9, seed=0)
    measured = probe(Batch(rows, x, rows % 3, net(x)))
    assert measured.shape == shape
    assert measured.dtype == torch.float32


def test_what_nobody_measures():
    with pytest.raises(HcatError, match="EMBEDDINGS cannot be measured"):
        make_probe(Need.EMBEDDINGS, (), nn.Linear(1, 1), InputTraits(), n=1, seed=0)


def test_input_gradients_go_back_through_the_shared_forward():
    net, x, rows = nn.Linear(4, 3).eval(), torch.randn(5, 4), torch.arange(5)
    probe = make_probe(Need.INPUT_GRADIENTS, (), net, InputTraits(), n=5, seed=0)
    assert isinstance(probe, TracingProbe)
    assert probe.wants_trace(x)
    traced = traced_forward(net, x)
    calls: list[int] = []
    net.register_forward_hook(lambda *_: calls.append(1))
    shared = probe(Batch(rows, x, rows % 3, traced.logits.detach(), traced))
    assert not calls
    assert torch.equal(shared, probe(Batch(rows, x, rows % 3, net(x))))


def test_a_forward_that_memory_does_not_hold_is_not_shared():
    net, x = nn.Linear(4, 3).eval(), torch.randn(5, 4)
    probe = make_probe(Need.INPUT_GRADIENTS, (), net, InputTraits(), n=5, seed=0)
    assert isinstance(probe, TracingProbe)
    probe.gradients._rows = 4
    assert not probe.wants_trace(x)


def test_a_need_of_ones_own_is_measured_by_what_it_brings():
    net = nn.Linear(4, 3).eval()
    need = Need("SUM", "final", lambda model, batch, times=1: batch.x.sum(1) * times)
    x = torch.randn(5, 4)
    probe = make_probe(need, (("times", 2),), net, InputTraits(), n=5, seed=0)
    assert torch.equal(probe(Batch(torch.arange(5), x, torch.zeros(5), net(x))), 2 * x.sum(1))
    assert not need.is_logits
    assert need in {need, Need.LOGITS}


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [("SUM", "train", "epoch or final"), ("LOGITS", "epoch", "another name")],
)
def test_a_need_that_nobody_could_serve_is_refused(name, kind, said):
    with pytest.raises(HcatError, match=said):
        Need(name, kind, lambda model, batch: batch.x)
