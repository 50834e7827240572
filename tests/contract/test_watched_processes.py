"""A training of the user's own in several processes, watched."""

from __future__ import annotations

import pytest

PROGRAM = """
import copy
import numpy as np
import pandas as pd
import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset
import hcat_nb as hcat
from hcat_nb.errors import DataError, ModelError, SpecError
from hcat_nb.training.events import Listener

N, E = 83, 5
y = torch.arange(N) % 3
x = torch.randn(N, 6, generator=torch.Generator().manual_seed(2))
x[:, 0] += 2 * y

def net():
    torch.manual_seed(0)
    first = nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU()
    return nn.Sequential(*first, nn.Dropout(.2), nn.Linear(8, 3))

try:
    hcat.watch(net(), (x, y), epochs=E)
except SpecError as error:
    assert "init_process_group() before hcat.watch" in str(error), error
else:
    raise AssertionError("was not refused")
dist.init_process_group("gloo")
rank, size = dist.get_rank(), dist.get_world_size()

# 1. All processes train the same, and each tells its part.
def alike(share, observe, epochs, again=False, **options):
    model = net()
    options |= {"observe": observe, "keep_dynamics": "probs"}
    begin = lambda: hcat.watch(model, (x, y), epochs=E, seed=1, **options)
    watch = begin()
    optimizer, order = torch.optim.SGD(model.parameters(), lr=.1), torch.Generator().manual_seed(5)
    for epoch in range(epochs):
        for rows in torch.randperm(N, generator=order).split(20):
            logits = model(x[rows])
            optimizer.zero_grad()
            nn.functional.cross_entropy(logits, y[rows]).backward()
            optimizer.step()
            mine = share(len(rows))
            watch.batch(rows[mine], logits[mine])
        watch.end_epoch()
        if again and epoch == 1:  # stopped, and gone on from what the first process kept
            told = [watch.state_dict()]
            dist.broadcast_object_list(told, 0)
            watch = begin()
            watch.load_state_dict(told[0])
    return watch.run()

class Hears(Listener):
    epochs = 0
    def on_epoch(self, event):
        assert len(event.map.confidence) == N
        self.epochs += 1

from hcat_nb.training import ranks as ours
for observe, epochs in (("pass", E), ("training", E), ("pass", 3)):
    hears = Hears()
    # Of samples that two processes tell (samplers pad their shares) one presentation counts.
    def share(n):
        return [*range(rank, n, size), 0]
    found = alike(share, observe, epochs, again=observe == "training", listeners=[hears])
    assert hears.epochs == (epochs if rank == 0 else 0)
    join, ours._join = ours._join, lambda: None  # as if it were alone
    alone = alike(lambda n: slice(0, n), observe, epochs)
    ours._join = join
    assert len(found.methods) == 13 and found.methods == alone.methods
    # Batches of another size: a matrix product may round otherwise.
    pd.testing.assert_frame_equal(found.scores, alone.scores, rtol=1e-5, atol=1e-6)
    pd.testing.assert_frame_equal(found.details, alone.details, rtol=1e-5, atol=1e-6)
    assert found.flags.equals(alone.flags)
    np.testing.assert_allclose(found.history["loss"], alone.history["loss"], rtol=1e-6)
    assert found.history["accuracy"].equals(alone.history["accuracy"])
    assert found.info["outcome"] == alone.info["outcome"] and found.info["kind"] == "watched"
    assert f"trained and observed by {size} processes together" in found.info["notes"]

# 2. DistributedDataParallel, a sampler that pads: weights, losses and draws are those without.
def parallel(watched, out=None):
    model = DistributedDataParallel(net())
    watch = watched and hcat.watch(model, (x, y), epochs=E, seed=1, out=out)
    optimizer = torch.optim.SGD(model.parameters(), lr=.1)
    sampler = DistributedSampler(TensorDataset(torch.arange(N), x, y), seed=3)
    assert len(sampler) * size > N  # some samples come twice
    loader, losses, seen = DataLoader(sampler.dataset, 10, sampler=sampler), [], []
    for epoch in range(E):
        sampler.set_epoch(epoch)
        for ids, some, labels in loader:
            logits = model(some)
            loss = nn.functional.cross_entropy(logits, labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(float(loss))
            if watched:
                watch.batch(ids, logits)
        if watched:
            watch.end_epoch()
    return model.module, losses, torch.rand(1), watch and watch.run()

one, losses, drawn, run = parallel(True, out="run")
two, plain, also, _ = parallel(False)
assert losses == plain and torch.equal(drawn, also)
assert all(map(torch.equal, one.state_dict().values(), two.state_dict().values()))
assert len(run.methods) == 13 and np.isfinite(run.scores.to_numpy()).all()
with torch.no_grad():  # one model is observed, BatchNorm's statistics included: the first one's
    sure = one.eval()(x).softmax(1)[torch.arange(N), y]
dist.broadcast(sure, 0)
np.testing.assert_allclose(run.scores["cleanlab"], 1 - sure, atol=1e-5)
dist.barrier()
assert hcat.load_run("run").scores.equals(run.scores)

# 3. Samples that are no tensors; a rank that is told of nothing; weights that differ.
items = [{"x": row, "label": int(label)} for row, label in zip(x, y)]
pile = lambda some: {"x": torch.stack([one["x"] for one in some])}
watch = hcat.watch(net(), items, epochs=2, methods="el2n aum", collate=pile,
                   forward=lambda model, batch: model(batch["x"]))
for _ in range(2):
    if rank == 0:
        watch.batch(torch.arange(N), torch.randn(N, 3))
    watch.end_epoch()
assert np.isfinite(watch.run().scores.to_numpy()).all()
model = net()
watch = hcat.watch(model, (x, y), epochs=2, methods="el2n")
with torch.no_grad():
    model[0].weight += rank
for call, kind, words in (
    (watch.end_epoch, ModelError, "weights are not the same in all processes"),
    (lambda: hcat.watch(net(), (x + rank, y), epochs=2), DataError, "given another dataset"),
    (lambda: hcat.watch(net(), (x, y), epochs=2, keep_dynamics="logits"), SpecError, "2 processes"),
):
    try:
        call()
    except kind as error:
        assert words in str(error), error
    else:
        raise AssertionError(words)
dist.destroy_process_group()
"""


def test_scores_of_two_processes_are_those_of_one(torchrun):
    torchrun(PROGRAM)


LIGHTNING = """
import lightning.pytorch as pl
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
import hcat_nb as hcat

y = torch.arange(48) % 2
x = torch.randn(48, 4, generator=torch.Generator().manual_seed(0))
x[:, 0] += 2 * y

class Net(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 8), nn.Dropout(.2), nn.Linear(8, 2))

    def forward(self, x):
        return self.layers(x)

    def training_step(self, batch, at):
        ids, some, labels = batch
        logits = self(some)
        loss = nn.functional.cross_entropy(logits, labels)
        return {"loss": loss, "ids": ids, "logits": logits.detach()}

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=.05)

def fit(*callbacks):
    torch.manual_seed(0)
    net = Net()
    loader = DataLoader(TensorDataset(torch.arange(48), x, y), batch_size=8, shuffle=True)
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "logger": False}
    trainer = pl.Trainer(max_epochs=2, accelerator="cpu", devices=2, strategy="ddp",
                         enable_checkpointing=False, callbacks=list(callbacks), **quiet)
    trainer.fit(net, loader)
    return net.state_dict().values()

watch = hcat.watch(None, (x, y), epochs=2)
watched, plain = fit(watch.callback("lightning")), fit()
assert all(map(torch.equal, watched, plain))
run = watch.run()
assert len(run.methods) == 13 and np.isfinite(run.scores.to_numpy()).all()
assert "trained and observed by 2 processes together" in run.info["notes"]
"""


def test_lightning_in_two_processes(torchrun):
    pytest.importorskip("lightning.pytorch", reason="needs the extra lightning")
    torchrun(LIGHTNING)
