"""The loop of several ranks trains as that of one."""

from __future__ import annotations

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


def test_three_ranks_train_as_one(torchrun):
    torchrun(PROGRAM, processes=3)
