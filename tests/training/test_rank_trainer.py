"""The loop of several ranks trains as that of one."""

from __future__ import annotations

import torch
from torch import nn

from hcat_nb.training.rank_trainer import BatchWide

# Adam divides by the root of the second moment: where a gradient is next to nothing, its rounding
# moves a weight by up to lr = 1e-2 a step.  BatchNorm makes the gradient of a bias before it such
# a nothing; these models have none there.  Weights moved by some 1e-6, and by 1e-2 and more where
# one process's statistics, share or scale were wrong.
PROGRAM = """
import copy, pathlib, threading
import numpy as np
import pandas as pd
import torch
from torch import nn
from hcat_nb.errors import DivergedError
from hcat_nb.observation.dynamics import MapDynamics
from hcat_nb.observation.observer import Observer
from hcat_nb.training.events import Control, Listener, StartEvent
from hcat_nb.training.loop import Trainer
from hcat_nb.training.rank_trainer import RankTrainer
from hcat_nb.training.ranks import together
from hcat_nb.training.shares import Replicated, Shares

N = 67
generator = torch.Generator().manual_seed(1)
FEATURES = torch.randn(N, 1, 4, 4, generator=generator)
LABELS = FEATURES.flatten(1)[:, :3].argmax(1)

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.2),
            nn.Flatten(), nn.Linear(16, 8, bias=False), nn.BatchNorm1d(8), nn.ReLU(),
            nn.Linear(8, 3),
        )
        self.spare = nn.Linear(2, 2)  # has no part in the logits
        self.frozen = nn.Parameter(torch.ones(1), requires_grad=False)

    def forward(self, x):
        return self.body(x)

def trainer(model, ranks, **changes):
    dynamics, rows = MapDynamics(LABELS, 3), torch.arange(N)
    sharing = None
    if ranks is not None:
        sharing = Shares(ranks, ranks.portions(rows, 32), N, {"map": dynamics})
        rows = sharing.mine
    observer = Observer(model, FEATURES, LABELS, rows, [dynamics], n_classes=3, batch_size=32,
                        seed=0, sharing=sharing)
    settings = {"epochs": 3, "batch_size": 16, "lr": 1e-2, "seed": 0} | changes
    kind, more = (Trainer, {}) if ranks is None else (RankTrainer, {"ranks": ranks})
    return kind(model, FEATURES, LABELS, torch.arange(N), observer, dynamics, **settings, **more)

start = StartEvent(3, 1, "d", "m", "cpu", pd.RangeIndex(N), np.zeros(N), ("a", "b", "c"))
with together() as ranks:
    torch.manual_seed(0)
    one, two = Net(), None
    two = copy.deepcopy(one)
    if ranks.rank == 2:
        nn.init.zeros_(two.body[0].weight)  # the start is that of rank 0
    expected = trainer(one, None)
    history = expected.fit(start).history
    several = trainer(two, ranks)
    found = several.fit(start).history
    for name, value in one.state_dict().items():
        torch.testing.assert_close(two.state_dict()[name], value, rtol=1e-3, atol=1e-4)
    assert ranks.broadcast(two.body[0].weight.tolist()) == two.body[0].weight.tolist()
    for mine, theirs in zip(history, found, strict=True):
        assert abs(mine.loss - theirs.loss) < 1e-4, (mine, theirs)
        assert mine.accuracy == theirs.accuracy
    # Weights of losses count in each process as in one.
    weighty = {"weights": torch.linspace(0.5, 1.5, N), "epochs": 2}
    expected, found = Net(), Net()
    found.load_state_dict(one.state_dict()), expected.load_state_dict(one.state_dict())
    trainer(expected, None, **weighty).fit(start)
    trainer(found, ranks, **weighty).fit(start)
    for name, value in expected.state_dict().items():
        torch.testing.assert_close(found.state_dict()[name], value, rtol=1e-3, atol=1e-4)
    assert "forward" not in vars(two.body[1])
    assert several.leads == ranks.leads and isinstance(several.sharing_all(), Replicated)

    # A pause that one rank is told of holds all; a stop, too.
    control, over = Control(), pathlib.Path("over")
    if ranks.rank == 1:
        def go_on():
            over.touch()
            control.resume.set()
        control.resume.clear()
        threading.Timer(0.5, go_on).start()
    trainer(copy.deepcopy(one), ranks, epochs=1, control=control).fit(start)
    assert over.exists()
    if ranks.rank == 1:
        control.stop.set()
    assert trainer(copy.deepcopy(one), ranks, control=control).fit(start).outcome == "stopped"

    # One rank's broken model is everyone's.
    model = copy.deepcopy(one)
    class Poison(Listener):
        def on_epoch(self, event):
            if event.epoch == 2 and ranks.rank == 1:
                nn.init.constant_(model.body[-1].bias, torch.nan)
    try:
        trainer(model, ranks, listeners=[Poison()]).fit(start)
    except DivergedError as error:
        assert error.epoch == 3 and len(error.training.history) == 2
    else:
        raise AssertionError("did not diverge")
"""
# Float32, and sums in another order than torch's own kernel: about the number of samples times
# the rounding of one.  What is wrong by one sample is wrong by 1e-2 and more.
BATCH_WIDE_PROGRAM = """
import copy
import torch
from torch import nn
from hcat_nb.training.rank_trainer import BatchWide
from hcat_nb.training.ranks import together

def close(one, two):
    torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-5)

def check(ranks, model, shape, n, exact=False):
    torch.manual_seed(1)
    x, weights = torch.randn(n, *shape) + 3, torch.randn(n, *shape)
    if len(shape) == 3:
        x = x.contiguous(memory_format=torch.channels_last)
    twin = copy.deepcopy(model).train()
    model.train()
    whole = x.clone(memory_format=torch.preserve_format).requires_grad_()
    torch.manual_seed(2)
    expected = twin(whole)
    (expected * weights).sum().backward()
    share = ranks.share(n)
    idle = share.start == share.stop
    shown = slice(0, 1) if idle else share
    mine = x[shown].clone(memory_format=torch.preserve_format).requires_grad_()
    wide = BatchWide(model)
    wide.batch(n, share)
    torch.manual_seed(2)
    with wide.installed():
        made = model(mine)
    (made * weights[shown] * (not idle)).sum().backward()
    if exact:
        assert torch.equal(made, expected[shown]), model
        assert torch.equal(torch.get_rng_state(), ranks.broadcast(torch.get_rng_state()))
    close(made, expected[shown])
    close(mine.grad, torch.zeros_like(mine) if idle else whole.grad[shown])
    for name, value in twin.named_buffers():
        close(dict(model.named_buffers())[name], value)
    for name, value in twin.named_parameters():
        gradient = dict(model.named_parameters())[name].grad.clone()
        ranks.all_reduce(gradient)
        close(gradient, value.grad)
    assert "forward" not in vars(model)
    x = x[:3]
    close(model.eval()(x), twin.eval()(x))  # another use, the layer's own

with together() as ranks:
    for n in (7, 2):  # of 2 the third process has none
        check(ranks, nn.BatchNorm1d(4), (4,), n)
        check(ranks, nn.BatchNorm1d(4, affine=False, momentum=None), (4, 5), n)
        check(ranks, nn.BatchNorm2d(3, eps=0.1, momentum=0.5), (3, 4, 4), n)
        check(ranks, nn.BatchNorm2d(3, track_running_stats=False), (3, 4, 4), n)
        check(ranks, nn.BatchNorm3d(2), (2, 2, 3, 2), n)
        check(ranks, nn.Dropout(0.3), (50,), n, exact=True)
        check(ranks, nn.Dropout(0.3), (3, 6, 6), n, exact=True)  # channels last
        check(ranks, nn.Dropout1d(0.5), (6, 4), n, exact=True)
        check(ranks, nn.Dropout2d(0.5), (6, 4, 4), n, exact=True)
        check(ranks, nn.Dropout3d(0.5), (6, 2, 2, 2), n, exact=True)
        check(ranks, nn.AlphaDropout(0.3), (50,), n, exact=True)
        check(ranks, nn.FeatureAlphaDropout(0.3), (6, 4, 4), n, exact=True)
        check(ranks, nn.Dropout(0.0), (50,), n, exact=True)
"""


def test_three_ranks_train_as_one(torchrun):
    torchrun(PROGRAM, processes=3)


def test_parts_are_what_the_whole_is(torchrun):
    torchrun(BATCH_WIDE_PROGRAM, processes=3)


def test_what_has_no_samples_on_its_first_axis_is_left_alone():
    """A model that folds time into the batch: the mask is drawn for what comes."""
    layer = nn.Dropout(0.5)
    wide = BatchWide(layer)
    wide.batch(4, slice(0, 2))
    x = torch.ones(6, 3)
    torch.manual_seed(0)
    expected = layer(x)
    torch.manual_seed(0)
    with wide.installed():
        assert torch.equal(layer(x), expected)
    assert "forward" not in vars(layer)
