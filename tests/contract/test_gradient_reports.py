"""Field reports A16 and A17: gradients of a user's own module, and their memory."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from hcat_nb.api.characterize import characterize
from hcat_nb.models._adapter import AdaptedModel, fit_scaling


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.head = nn.LSTM(2, 8, batch_first=True), nn.Linear(8, 3)

    def forward(self, x):
        return self.head(self.lstm(x.reshape(len(x), 2, 2))[0][:, -1])


class Indexing(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.rest = nn.Linear(1, 8), nn.Linear(3, 8)
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        return self.head(torch.relu(self.first(x[:, 0][:, None]) + self.rest(x[:, 1:])))


class Unmappable(nn.Module):
    """A layer that nobody knows, and a branch that reads the data."""

    def __init__(self):
        super().__init__()
        self.scale, self.head = nn.Parameter(torch.rand(4)), nn.Linear(4, 3)

    def forward(self, x):
        return self.head(x * self.scale) * (2 if float(x.detach().sum()) > 1e9 else 1)


def normalized() -> nn.Module:
    return nn.Sequential(
        *(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(inplace=True), nn.Dropout(0.5)),
        nn.Linear(16, 3),
    )


OWN = {"batchnorm_dropout": normalized, "lstm": Recurrent, "indexing": Indexing}


def study(make, methods):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 200)
    x = (rng.normal(size=(200, 4)) + np.eye(3, 4)[y] * 3).astype(np.float32)
    return characterize(
        x, y, model=make, epochs=3, seed=0, methods=methods,
        method_options={"grand": {"at": 3}} if "grand" in methods else {},
    )  # fmt: skip


def row_by_row(run, make):
    """Norms of literal backward passes through the trained model, one row at a time."""
    model = AdaptedModel(fit_scaling(run.dataset, run.spec.normalize), make())
    model.load_state_dict(run.weights)
    model.eval()
    norms = []
    for i in range(len(run.dataset)):
        model.zero_grad(set_to_none=True)
        x, y = run.dataset.features[i : i + 1], run.dataset.labels[i : i + 1]
        cross_entropy(model(x), y).backward()
        grads = [one.grad.double() for one in model.parameters() if one.grad is not None]
        norms.append(float(sum(one.square().sum() for one in grads).sqrt()))
    return norms


@pytest.mark.parametrize("name", OWN)
def test_own_modules_in_a_whole_run(name, recwarn):
    """Report A16: equal to one row at a time, and training is as if nobody had looked."""
    run = study(OWN[name], "grand vog")
    assert not [one for one in recwarn if "one row at a time" in str(one.message)]
    # The report's tolerance; float32 rounding is 3e-7.
    assert np.allclose(run.scores["grand"], row_by_row(run, OWN[name]), rtol=1e-5, atol=1e-7)
    assert run.scores["vog"].std() > 0
    unobserved = study(OWN[name], "loss").weights
    assert unobserved.keys() == run.weights.keys()
    assert all(torch.equal(value, run.weights[key]) for key, value in unobserved.items())


def test_where_vmap_is_impossible_the_run_says_so_and_is_right():
    with pytest.warns(UserWarning, match="measured one row at a time, which is slow: .*to mend it"):
        run = study(Unmappable, "grand vog")
    assert np.allclose(run.scores["grand"], row_by_row(run, Unmappable), rtol=1e-5, atol=1e-7)


PROGRAM = """
import resource, torch
from hcat_nb.models.resnet18 import ResNet18
from hcat_nb.observation import _memory
from hcat_nb.observation.gradients import GradientNorms

torch.set_num_threads(1)
torch.manual_seed(0)
_memory.BUDGET["cpu"] = 2**24  # small images and few rows, so that it takes seconds
model = ResNet18((3, 16, 16), 10).eval()
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
def measure(n):
    GradientNorms(model).measure(torch.randn(n, 3, 16, 16), torch.arange(n) % 10)
    return peak()
before = peak()
print(measure(16) - before, measure(48) - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in KiB on Linux only")
def test_memory_does_not_grow_with_the_batch(repository):
    """Report A17: ResNet-18, whose gradients take 45 MB a row."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True, text=True, check=True, cwd=repository,
    )  # fmt: skip
    few, many = map(float, done.stdout.split())
    assert few < 300  # a chunk may take 16 MB; the rest is work areas of the kernels
    assert many - few < 50  # 32 more rows: their gradients would take 1,400 MB
