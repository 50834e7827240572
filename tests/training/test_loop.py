"""The training loop."""

from __future__ import annotations

import copy

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from hcat_nb.errors import DivergedError
from hcat_nb.observation.dynamics import MapDynamics
from hcat_nb.observation.observer import Observer
from hcat_nb.seeds import child_seed
from hcat_nb.training.events import Control, Listener, StartEvent
from hcat_nb.training.loop import Trainer, batches

N, E = 65, 3


def network(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 3))


def data() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    features = torch.randn(N, 4, generator=generator)
    return features, features[:, :3].argmax(1)


def trainer(model: nn.Module, **changes) -> Trainer:
    features, labels = data()
    dynamics = MapDynamics(labels, 3)
    rows = torch.arange(N)
    observer = Observer(
        model, features, labels, rows, [dynamics], n_classes=3, batch_size=32, seed=0
    )
    settings = {"epochs": E, "batch_size": 64, "lr": 1e-2, "seed": 0} | changes
    return Trainer(model, features, labels, rows, observer, dynamics, **settings)


def start() -> StartEvent:
    return StartEvent(E, 1, "d", "m", "cpu", pd.RangeIndex(N), np.zeros(N), ("a", "b", "c"))


class Heard(Listener):
    def __init__(self):
        self.events = []

    def on_start(self, event):
        self.events.append("start")

    def on_step(self, event):
        self.events.append(("step", event.epoch, event.step, event.n_steps))

    def on_epoch(self, event):
        self.events.append(("epoch", event.epoch))
        self.last = event

    def on_end(self, event):
        self.events.append(("end", event.outcome, event.epochs))


def test_a_last_batch_of_one_joins_the_batch_before():
    parts = batches(torch.arange(65), 64)
    assert [len(part) for part in parts] == [65]
    assert torch.equal(torch.cat(parts), torch.arange(65))
    assert [len(part) for part in batches(torch.arange(66), 64)] == [64, 2]
    assert [len(part) for part in batches(torch.arange(1), 64)] == [1]


@pytest.mark.parametrize("weights", [None, torch.linspace(0.5, 1.5, N)])
def test_it_does_what_a_plain_loop_does(weights):
    """Adam on the same order of batches, written out; no dropout, so no other draws."""
    model = network()
    plain = copy.deepcopy(model)
    history = trainer(model, batch_size=20, weights=weights).fit(start()).history
    features, labels = data()
    optimizer = torch.optim.Adam(plain.parameters(), lr=1e-2, fused=True)
    order = torch.Generator().manual_seed(child_seed(0, "order"))
    for epoch in range(E):
        plain.train()
        shuffled = torch.randperm(N, generator=order)
        losses = []
        for rows in (shuffled[:20], shuffled[20:40], shuffled[40:60], shuffled[60:]):
            if weights is None:
                loss = nn.functional.cross_entropy(plain(features[rows]), labels[rows])
            else:
                each = nn.functional.cross_entropy(
                    plain(features[rows]), labels[rows], reduction="none"
                )
                loss = (each * weights[rows]).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses += [loss.item()] * len(rows)
        assert history[epoch].loss == pytest.approx(np.mean(losses), rel=1e-6)
    # the same operations in the same order: equal to the bit
    assert all(
        torch.equal(mine, theirs)
        for mine, theirs in zip(model.parameters(), plain.parameters(), strict=True)
    )
    accuracy = (plain.eval()(features).argmax(1) == labels).double().mean().item()
    assert history[-1].accuracy == pytest.approx(accuracy)


def test_listeners_hear_everything_in_order():
    heard = Heard()
    trainer(network(), batch_size=40, listeners=[heard]).fit(start())
    middle = []
    for epoch in (1, 2, 3):
        middle += [("step", epoch, 1, 2), ("step", epoch, 2, 2), ("epoch", epoch)]
    assert heard.events == ["start", *middle, ("end", "finished", 3)]
    assert heard.last.remaining == 0
    assert heard.last.map.confidence.shape == (N,)


def test_a_failing_screen_is_reported_once_and_detached():
    class Broken(Heard):
        def on_step(self, event):
            raise RuntimeError("no screen")

    broken, heard = Broken(), Heard()
    with pytest.warns(RuntimeWarning, match=r"Broken.on_step failed.*no screen") as warned:
        trainer(network(), listeners=[broken, heard]).fit(start())
    assert len(warned) == 1
    assert broken.events == ["start"]
    assert heard.events[-1] == ("end", "finished", 3)


def test_a_failing_essential_listener_stops_the_run():
    class Checkpoint(Heard):
        essential = True

        def on_epoch(self, event):
            raise OSError("disk full")

    heard = Heard()
    with pytest.raises(OSError, match="disk full"):
        trainer(network(), listeners=[Checkpoint(), heard]).fit(start())
    assert heard.events[-1] == ("end", "failed", 1)


class StopAt(Listener):
    def __init__(self, control, epoch, step):
        self.control, self.at = control, (epoch, step)

    def on_step(self, event):
        if (event.epoch, event.step) == self.at:
            self.control.stop.set()


def test_a_stop_keeps_the_finished_epochs_and_undoes_the_begun_one():
    control = Control()
    stopped, whole = network(), network()
    listeners = [StopAt(control, 3, 1)]
    training = trainer(stopped, batch_size=20, control=control, listeners=listeners).fit(start())
    trainer(whole, batch_size=20, epochs=2).fit(start())
    assert training.outcome == "stopped"
    assert len(training.history) == 2
    assert all(
        torch.equal(value, whole.state_dict()[name]) for name, value in stopped.state_dict().items()
    )


def test_a_stop_in_the_first_epoch_leaves_no_history():
    control = Control()
    training = trainer(network(), control=control, listeners=[StopAt(control, 1, 1)], batch_size=20)
    assert training.fit(start()).history == []


def test_divergence_names_the_epoch_and_keeps_what_was_done():
    model = network()

    class Poison(Listener):
        def on_epoch(self, event):
            if event.epoch == 2:
                nn.init.constant_(model[0].bias, torch.nan)

    with pytest.raises(DivergedError, match=r"epoch 3 is nan.*lower lr") as caught:
        trainer(model, listeners=[Poison()]).fit(start())
    assert len(caught.value.training.history) == 2
    assert torch.isfinite(model[0].bias).all()


@pytest.mark.parametrize("lr", [1e30, 1e38])
def test_a_finite_loss_before_the_step_that_broke_the_model_is_divergence_too(lr):
    model = network()
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(
        DivergedError, match=r"after epoch 1 weights or outputs .*lower lr"
    ) as caught:
        trainer(model, lr=lr, batch_size=N).fit(start())
    assert np.isfinite(caught.value.loss)
    assert caught.value.training.history == []
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_weights_that_broke_unseen_are_found():
    model = network()

    class Blind(nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model
            self.unused = nn.Parameter(torch.zeros(1))

        def forward(self, x):
            return self.model(x)

    blind = Blind()

    class Poison(Listener):
        def on_step(self, event):
            if event.epoch == 2:
                nn.init.constant_(blind.unused, torch.inf)

    with pytest.raises(DivergedError, match="after epoch 2 weights") as caught:
        trainer(blind, listeners=[Poison()]).fit(start())
    assert len(caught.value.training.history) == 1
    assert blind.unused.isfinite().all()


def test_a_class_that_a_model_rules_out_and_what_is_frozen_are_no_divergence():
    class Ruling(nn.Module):
        def __init__(self):
            super().__init__()
            self.model = network()
            self.limit = nn.Parameter(torch.tensor(torch.inf), requires_grad=False)

        def forward(self, x):
            logits = self.model(x).clamp(max=self.limit)
            return torch.cat([logits, torch.full_like(logits[:, :1], -torch.inf)], dim=1)

    features, labels = data()
    dynamics, rows, model = MapDynamics(labels, 4), torch.arange(N), Ruling()
    observer = Observer(
        model, features, labels, rows, [dynamics], n_classes=4, batch_size=32, seed=0
    )
    settings = {"epochs": 2, "batch_size": 64, "lr": 1e-2, "seed": 0}
    made = Trainer(model, features, labels, rows, observer, dynamics, **settings).fit(start())
    assert len(made.history) == 2


def test_frozen_parameters_stay():
    model = network()
    model[0].weight.requires_grad_(False)
    before = model[0].weight.clone()
    trainer(model).fit(start())
    assert torch.equal(model[0].weight, before)


def test_global_random_state_is_untouched():
    torch.manual_seed(7)
    state = torch.get_rng_state()
    model = network()
    torch.set_rng_state(state)
    trainer(model).fit(start())
    assert torch.equal(torch.get_rng_state(), state)
