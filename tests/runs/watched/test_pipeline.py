"""What is measured of a model that somebody else trains."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from hcat_nb.errors import ModelError
from hcat_nb.runs.watched.pipeline import WatchedPipeline
from hcat_nb.spec import RunSpec


def prepared(model, **options):
    x = torch.randn(30, 4, generator=torch.Generator().manual_seed(0))
    chosen = {"epochs": 4, "normalize": "none", "learning_check": False, "folds": "0", **options}
    pipeline = WatchedPipeline(RunSpec(device="cpu", **chosen))
    pipeline.prepare(x, torch.arange(30) % 3, None, model, None)
    return pipeline


def test_the_module_itself_is_observed_and_not_a_copy():
    net = nn.Sequential(nn.Linear(4, 3)).to(torch.float32)
    before = net[0].weight.data_ptr()
    pipeline = prepared(net)
    assert pipeline.watched.net is net
    assert net[0].weight.data_ptr() == before
    assert "training" not in pipeline._need()  # the optimizer's memory is not ours
    assert pipeline.extra.jobs == []
    raw = torch.tensor([[1.0, 2.0, 3.0, 4.0]])
    assert torch.equal(pipeline.watched(raw), net(raw))  # nothing is scaled


def test_columns_are_scaled_if_that_is_asked_for():
    net = nn.Linear(4, 3)
    pipeline = prepared(net, normalize="auto")
    raw = pipeline.dataset.features
    scaled = (raw - raw.mean(0)) / raw.std(0, correction=0)
    torch.testing.assert_close(pipeline.watched(raw), net(scaled))


def test_columns_in_another_order_than_the_classes_are_refused():
    net = nn.Linear(4, 3, bias=False)
    x = torch.eye(3).repeat(20, 1)
    y = torch.arange(3).repeat(20)
    with torch.no_grad():
        net.weight.copy_(20 * torch.eye(3, 4).roll(1, 0))  # trained, with outputs of its own order
    pipeline = WatchedPipeline(RunSpec(device="cpu", epochs=2, normalize="none"))
    with pytest.raises(Exception, match="if they are of the classes"):
        pipeline.prepare(torch.cat([x, torch.ones(60, 1)], 1), y, None, net, None)


def test_a_frozen_model_is_refused():
    with pytest.raises(ModelError, match="no trainable parameter"):
        prepared(nn.Linear(4, 3).requires_grad_(False))


def test_judges_look_at_pixels_where_the_model_has_no_embedding():
    class Pooled(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Conv2d(3, 3, 3)

        def forward(self, x):
            return self.layer(x).mean((2, 3))

    x = torch.rand(30, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    pipeline = WatchedPipeline(RunSpec(device="cpu", epochs=4, normalize="none"))
    pipeline.prepare(x, torch.arange(30) % 3, None, Pooled(), None)
    assert "prototypicality" in pipeline.skipped
    assert {judge.space for judge in pipeline.judges} == {"input"}
