"""Gradient norms against a loop of one-sample backward passes."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.checkpoint import checkpoint

from hcat_nb.models.lenet import LeNet
from hcat_nb.models.mlp import MLP
from hcat_nb.models.resnet18 import ResNet18
from hcat_nb.observation.gradients import GradientNorms


class Scale(nn.Module):
    """A layer of the user's own."""

    def __init__(self, width):
        super().__init__()
        self.factor = nn.Parameter(torch.rand(width))

    def forward(self, x):
        return x * self.factor


class Tied(nn.Module):
    """A weight that is used three times, and a layer that nobody knows."""

    def __init__(self):
        super().__init__()
        self.inner, self.own, self.head = nn.Linear(6, 6), Scale(6), nn.Linear(6, 3)

    def forward(self, x):
        twice = self.inner(torch.tanh(self.own(self.inner(x))))
        return self.head(twice @ self.inner.weight.t())


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.head = nn.LSTM(3, 5, batch_first=True), nn.Linear(5, 3)

    def forward(self, x):
        return self.head(self.lstm(x.reshape(len(x), 2, 3))[0][:, -1])


class Indexing(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.rest = nn.Linear(1, 3), nn.Linear(5, 3)

    def forward(self, x):
        return self.first(x[:, 0][:, None]) + self.rest(x[:, 1:])


class SequenceFirst(nn.Module):
    """Attention with the samples on the second axis, as nn.Transformer has them by default."""

    def __init__(self):
        super().__init__()
        self.lift = nn.Linear(1, 4)
        self.mix = nn.TransformerEncoderLayer(4, 2, 8)
        self.head = nn.Linear(4, 3)

    def forward(self, x):
        return self.head(self.mix(self.lift(x[:, :, None]).transpose(0, 1)).mean(0))


class Tokens(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.norm = nn.Embedding(7, 4), nn.LayerNorm(4)
        self.head = nn.Linear(4, 3)

    def forward(self, x):
        return self.head(self.norm(self.embed((x.abs() * 3).long().clamp(max=6))).sum(1))


class ReadsData(nn.Module):
    """Control flow that depends on the data: impossible to vmap."""

    def __init__(self):
        super().__init__()
        self.scale, self.head = Scale(6), nn.Linear(6, 3)

    def forward(self, x):
        return self.head(self.scale(x)) * (2 if float(x.detach().sum()) > 1e9 else 1)


class OldCheckpoint(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner, self.head = nn.Linear(6, 6), nn.Linear(6, 3)

    def forward(self, x):
        return self.head(checkpoint(self.inner, x.clone().requires_grad_(), use_reentrant=True))


def normalized_table() -> nn.Module:
    return nn.Sequential(
        nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(inplace=True), nn.Dropout(0.5), nn.Linear(8, 3)
    )


def grouped() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(4, 8, 3, groups=2, stride=2, padding=1),
        nn.GroupNorm(2, 8),
        nn.ReLU(inplace=True),
        nn.Conv2d(8, 8, 3, dilation=2, padding=2, bias=False),
        nn.Flatten(),
        nn.Linear(8 * 16, 3),
    )


# model, shape of the batch
MODELS = {
    "lenet": (lambda: LeNet((1, 16, 16), 10), (7, 1, 16, 16)),
    "resnet18": (lambda: ResNet18((3, 16, 16), 10), (5, 3, 16, 16)),
    "mlp": (lambda: MLP((6,), 3), (30, 6)),
    "grouped": (grouped, (6, 4, 8, 8)),
    "tied": (Tied, (9, 6)),
    "batchnorm_dropout": (normalized_table, (9, 6)),
    "lstm": (Recurrent, (9, 6)),
    "indexing": (Indexing, (9, 6)),
    "sequence_first": (SequenceFirst, (6, 6)),  # as many samples as positions
    "tokens": (Tokens, (9, 6)),
}
SLOW = {"reads_data": (ReadsData, (9, 6)), "old_checkpoint": (OldCheckpoint, (9, 6))}


def prepared(name: str) -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    """Return a model whose statistics are not those of a fresh one, and data."""
    torch.manual_seed(0)
    make, shape = (MODELS | SLOW)[name]
    model = make()
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            nn.init.normal_(module.weight, 1, 0.3)
            module.running_mean.normal_(0, 0.3)
            module.running_var.uniform_(0.5, 2)
    return model.eval(), torch.randn(shape), torch.randint(0, 3, shape[:1])


def one_by_one(model, x, labels) -> torch.Tensor:
    parameters = [one for one in model.parameters() if one.requires_grad]
    norms = []
    for i in range(len(x)):
        loss = cross_entropy(model(x[i : i + 1]), labels[i : i + 1])
        grads = torch.autograd.grad(loss, parameters, allow_unused=True)
        norms.append(sum(g.double().square().sum() for g in grads if g is not None).sqrt())
    return torch.stack(norms).float()


# The field report's tolerance; observed: 3e-7, float32 rounding.
CLOSE = {"rtol": 1e-5, "atol": 1e-7}


@pytest.mark.parametrize("name", MODELS)
def test_equal_to_one_sample_at_a_time(name):
    model, x, labels = prepared(name)
    with warnings.catch_warnings():
        # no fallback; torch says that it vmaps some kernels slowly, which is its affair
        warnings.filterwarnings("error", message=".*one row at a time")
        norms = GradientNorms(model).measure(x, labels)
    assert norms.dtype == torch.float32
    torch.testing.assert_close(norms, one_by_one(model, x, labels), **CLOSE)


@pytest.mark.parametrize("name", ["lenet", "mlp", "tied", "lstm"])
@pytest.mark.parametrize("chunk", [1, 2, 100])
def test_the_same_for_every_chunk_and_within_inference_mode(name, chunk):
    model, x, labels = prepared(name)
    expected = GradientNorms(model).measure(x, labels)
    with torch.inference_mode():
        norms = GradientNorms(model, chunk).measure(x, labels)
    torch.testing.assert_close(norms, expected, **CLOSE)


@pytest.mark.parametrize("name", SLOW)
def test_where_vmap_is_impossible_rows_go_one_by_one_and_it_is_said(name):
    model, x, labels = prepared(name)
    measuring = GradientNorms(model)
    with pytest.warns(UserWarning, match="one row at a time, which is slow: .*to mend it"):
        norms = measuring.measure(x, labels)
    torch.testing.assert_close(norms, reference(model, x, labels), **CLOSE)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # it is said once
        measuring.measure(x, labels)


def reference(model, x, labels) -> torch.Tensor:
    """Return the norms by literal backward passes into ``.grad`` of a copy's parameters."""
    norms = []
    for i in range(len(x)):
        model.zero_grad(set_to_none=True)
        cross_entropy(model(x[i : i + 1]), labels[i : i + 1]).backward()
        norms.append(sum(one.grad.double().square().sum() for one in model.parameters()).sqrt())
    model.zero_grad(set_to_none=True)
    return torch.stack(norms).float()


def test_batch_statistics_in_evaluation_mode_go_one_by_one():
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2, track_running_stats=False), nn.Flatten(),
        nn.Linear(8, 3),
    ).eval()  # fmt: skip
    x, labels = torch.randn(5, 1, 4, 4), torch.arange(5) % 3
    with pytest.warns(UserWarning, match="without running statistics"):
        norms = GradientNorms(model).measure(x, labels)
    torch.testing.assert_close(norms, one_by_one(model, x, labels), **CLOSE)


def test_frozen_parameters_do_not_count():
    model, x, labels = prepared("tied")
    whole = GradientNorms(model).measure(x, labels)
    model.own.requires_grad_(False)
    model.head.bias.requires_grad_(False)
    norms = GradientNorms(model).measure(x, labels)
    assert (norms < whole).all()
    torch.testing.assert_close(norms, one_by_one(model, x, labels), **CLOSE)


@pytest.mark.parametrize("name", ["resnet18", "tied", "batchnorm_dropout", "reads_data"])
def test_state_gradients_and_modes_are_as_before(name):
    model, x, labels = prepared(name)
    for i, one in enumerate(model.parameters()):
        one.grad = None if i == 0 else torch.full_like(one, float(i))
    modes = [module.training for module in model.modules()]
    state = {key: value.clone() for key, value in model.state_dict().items()}
    grads = [None if one.grad is None else one.grad.clone() for one in model.parameters()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        GradientNorms(model).measure(x, labels)
    assert [module.training for module in model.modules()] == modes
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())
    for one, before in zip(model.parameters(), grads, strict=True):
        assert (one.grad is None) == (before is None)
        assert before is None or torch.equal(one.grad, before)
    assert not any(module._forward_hooks for module in model.modules())


def test_the_chunk_fits_the_budget_whatever_the_batch():
    model, x, labels = prepared("resnet18")
    few, many = GradientNorms(model), GradientNorms(model)
    few.measure(x[:1], labels[:1])
    many.measure(x, labels)
    assert few.chunk == many.chunk
    # ResNet-18 keeps some MB a sample of 16 x 16 pixels: not one row, not a thousand.
    assert 5 < few.chunk < 500


def test_saturated_predictions_have_finite_norms():
    model, x, labels = prepared("mlp")
    norms = GradientNorms(model).measure(x * 1e6, labels)
    assert norms.isfinite().all()
