"""A training that is watched goes on as if nobody looked."""

from __future__ import annotations

import random

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

import hcat_nb as hcat
from hcat_nb.training.watching import left_alone

N, E = 96, 3


class Drawn(Dataset):
    """Images augmented from three global streams, in whatever process reads them."""

    def __init__(self, x: torch.Tensor, y: torch.Tensor) -> None:
        self.x, self.y = x, y

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, i: int) -> tuple[int, torch.Tensor, torch.Tensor]:
        x = self.x[i].roll(random.randint(-1, 1), -1) + 0.1 * torch.randn(self.x[i].shape)
        return i, x * float(np.random.uniform(0.9, 1.1)), self.y[i]  # noqa: NPY002


def images() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    y = torch.arange(N) % 3
    return torch.randn(N, 1, 8, 8, generator=generator) + y[:, None, None, None], y


def network() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Dropout2d(0.3),
        nn.Flatten(),
        nn.Dropout(0.2),
        nn.Linear(8 * 64, 3),
    )


def trained(*, watched: bool, workers: int, **options: object) -> tuple[list[float], nn.Module]:
    """Train with what people train with; return the losses and the model."""
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002  (what a user's transform may draw from)
    torch.manual_seed(1)
    x, y = images()
    net = network()
    net[1].eval()  # frozen statistics: a mode of one module, which has to stay
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, E)
    loader = DataLoader(Drawn(x, y), batch_size=16, shuffle=True, num_workers=workers)
    watch = hcat.watch(net, (x, y), epochs=E, **options) if watched else None
    losses = []
    for _ in range(E):
        for ids, some, labels in loader:
            with torch.autocast("cpu", torch.bfloat16):
                logits = net(some)
                loss = nn.functional.cross_entropy(logits, labels, label_smoothing=0.1)
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            if watch is not None:
                watch.batch(ids, logits)
            optimizer.step()
            optimizer.zero_grad(set_to_none=False)
            losses.append(float(loss.detach()))
        schedule.step()
        if watch is not None:
            with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
                watch.end_epoch()
    if watch is not None:
        run = watch.run()
        assert len(run.methods) == 13
        assert np.isfinite(run.scores.to_numpy()).all()
    streams = float(torch.rand(())), float(np.random.rand()), random.random()  # noqa: NPY002
    losses += streams  # which go on where they were
    return losses, net


def same(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.state_dict().items(), other.state_dict().items(), strict=True)
    return all(a == b and torch.equal(x, y) for (a, x), (b, y) in pairs)


def test_weights_and_losses_are_those_of_a_training_that_nobody_watched():
    for workers in (0, 2):
        plain_losses, plain = trained(watched=False, workers=workers)
        losses, net = trained(watched=True, workers=workers)
        assert losses == plain_losses
        assert same(net, plain)
        assert [m.training for m in net.modules()] == [m.training for m in plain.modules()]
    losses, net = trained(watched=True, workers=2, observe="training")
    assert losses == plain_losses
    assert same(net, plain)


def test_what_a_look_changes_is_put_back():
    class Counting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("calls", torch.zeros(1))
            self.inner = nn.Linear(2, 2)
            self.frozen = nn.Dropout().eval()

        def forward(self, x):
            self.calls += 1
            return self.frozen(self.inner(x))

    net = Counting()
    net(torch.ones(1, 2)).sum().backward()
    grad, calls = net.inner.weight.grad, net.calls
    before = grad.clone()
    state = torch.get_rng_state()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        with left_alone(net):
            assert torch.is_grad_enabled()
            net.eval()
            net(torch.rand(1, 2)).sum().backward()
            net.calls = torch.full((1,), 9.0)
        assert not torch.is_grad_enabled()
        assert torch.is_autocast_enabled("cpu")
    assert net.training
    assert net.inner.training
    assert not net.frozen.training
    assert net.inner.weight.grad is grad
    assert net.calls is calls
    assert float(net.calls) == 1
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(grad, before)
