"""Who is who among several processes, and how an error ends them all."""

from __future__ import annotations

import dataclasses
import os

import pytest
import torch
import torch.distributed as dist

from hcat_nb.errors import SpecError
from hcat_nb.training.ranks import Ranks, speaks, together

ERRORS = """
import os, sys
import torch
from torch import nn
import hcat_nb

class Net(nn.Module):
    def __init__(self, sample_shape, n_classes):
        super().__init__()
        self.layer, self.calls = nn.Linear(64, n_classes), 0

    def forward(self, x):
        self.calls += 1
        if os.environ["RANK"] == "1" and self.training and self.calls > 20:
            raise {error}
        return self.layer(x.flatten(1))

hcat_nb.characterize("digits", subset=200, model=Net, epochs=9, methods="el2n", batch_size=16)
print("went on")
"""
CAUGHT = """
import time
import hcat_nb
from hcat_nb.training.events import Listener

class Full(Listener):
    essential = True
    def on_epoch(self, event): raise OSError("disk full")

try:
    hcat_nb.characterize("wine", epochs=2, methods="el2n", listeners=[Full()])
except OSError as error:
    print(error, flush=True)
    time.sleep(1000)
print("went on")
"""
TOOLS = """
import atexit, os, pathlib, sys, threading
import torch
from hcat_nb.errors import DataError
from hcat_nb.training.ranks import together

def gloo_threads():  # of Linux; elsewhere none is seen
    names = [one.read_text() for one in pathlib.Path("/proc/self/task").glob("*/comm")]
    return [name for name in names if "gloo" in name]

# Registered before the first block, so called last: a thread of gloo that lets go of a tensor
# while Python ends makes it abort.
atexit.register(lambda: gloo_threads() and os._exit(3))

with together() as ranks:
    rank = int(os.environ["RANK"])
    assert gloo_threads() or sys.platform != "linux"
    assert (ranks.rank, ranks.size, ranks.local_rank, ranks.local_size) == (rank, 3, rank, 3)
    assert ranks.leads == (rank == 0)
    assert ranks.device("auto").type in ("cpu", "cuda")
    assert ranks.any(rank == 2, False, True) == [True, False, True]
    assert ranks.total(rank, 0.5) == [3.0, 1.5]
    flags = torch.arange(3) == rank
    assert ranks.either(flags & (rank < 2)).tolist() == [True, True, False]
    for dtype in (torch.bool, torch.int32, torch.int64, torch.float32, torch.float64):
        mine = torch.full((rank, 2), rank).to(dtype)  # of rank 0 not a row
        parts = ranks.to_leader(mine, [0, 1, 2])
        assert (parts is None) == (rank != 0)
        if parts:
            expected = [torch.full((of, 2), of).to(dtype) for of in range(3)]
            assert all(map(torch.equal, parts, expected)), parts
    assert ranks.broadcast({"of": rank}) == {"of": 0}
    model = torch.nn.BatchNorm1d(2)
    torch.nn.init.constant_(model.weight, rank)
    ranks.start_alike(model)
    assert model.weight.tolist() == [0, 0]
    ranks.check_same({"lr": 1})
    try:
        ranks.check_same({"lr": 1, "data": rank // 2})
    except DataError as error:
        assert "process 2 was given another data than process 0" in str(error)
    else:
        raise AssertionError
    with ranks.one_before_the_others():
        if rank == 0:
            open("made", "w").close()
        assert os.path.exists("made")
with together() as again:
    assert again is ranks
# One that is inside a call of the store when Python ends makes it abort.
assert not [one for one in threading.enumerate() if type(one).__name__ == "_Alarm"]
"""


def place(rank: int, size: int, **changes) -> Ranks:
    return Ranks(rank, size, rank, size, group=None, store=None, **changes)


@pytest.mark.parametrize(("n", "sizes"), [(10, [4, 3, 3]), (3, [1, 1, 1]), (2, [1, 1, 0])])
def test_a_batch_is_split_evenly_and_in_order(n, sizes):
    shares = [torch.arange(n)[place(rank, 3).share(n)] for rank in range(3)]
    assert [len(share) for share in shares] == sizes
    assert torch.equal(torch.cat(shares), torch.arange(n))


def test_many_observation_batches_stay_whole():
    rows = torch.arange(100, 300)
    portions = place(0, 3).portions(rows, 7)
    assert torch.equal(torch.cat(portions), rows)
    assert [len(one) % 7 for one in portions[:-1]] == [0, 0]
    assert max(map(len, portions)) - min(map(len, portions)) <= 2 * 7


def test_few_observation_batches_are_split_evenly():
    portions = place(0, 3).portions(torch.arange(100), 64)
    assert [len(one) for one in portions] == [34, 33, 33]
    with pytest.raises(SpecError, match="3 processes share 2 samples"):
        place(0, 3).portions(torch.arange(2), 64)


def test_devices(monkeypatch):
    assert place(1, 2).device("cpu") == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    chosen = []
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    assert place(1, 2).device("auto") == place(1, 2).device("cuda") == torch.device("cuda", 1)
    assert chosen == [torch.device("cuda", 1)] * 2
    second = dataclasses.replace(place(3, 4), local_rank=1, local_size=2)
    assert second.device("auto") == torch.device("cuda", 1)
    with pytest.raises(SpecError, match=r"device is 'cuda:1' for 2 processes.*cuda, auto or cpu"):
        place(1, 2).device("cuda:1")
    with pytest.raises(SpecError, match=r"3 processes share 2 CUDA devices.*nproc-per-node"):
        place(0, 3).device("auto")


def test_alone_there_are_no_ranks(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")  # of a cluster's scheduler, say: nobody started torchrun
    with together() as ranks:
        assert ranks is None
    assert not dist.is_initialized()
    assert speaks()


def test_the_first_of_torchrun_speaks(monkeypatch):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "here")
    for rank, first in (("0", True), ("1", False)):
        monkeypatch.setitem(os.environ, "RANK", rank)
        assert speaks() is first


def test_what_ranks_tell_each_other(torchrun):
    torchrun(TOOLS, processes=3)


@pytest.mark.parametrize("error", ['ValueError("no such tile")', 'SystemExit("no such tile")'])
def test_an_error_on_one_rank_ends_all_and_is_told_once(torchrun, error):
    done = torchrun(ERRORS.format(error=error), fails=True)
    told = [line for line in done.stderr.splitlines() if "no such tile" in line]
    assert len([line for line in told if "raise" not in line]) == 1  # else a line of the program
    assert "RankError" not in done.stderr
    assert "went on" not in done.stdout


def test_a_rank_that_goes_on_after_its_error_keeps_nobody_waiting(torchrun):
    done = torchrun(CAUGHT, fails=True)
    assert done.stdout == "disk full\n"


def test_a_mistake_of_the_user_is_one_line(torchrun):
    words = ["-m", "hcat_nb", "run", "wine", "--epochs", "1", "--methods", "vog"]
    done = torchrun(words, fails=True)
    assert done.stderr.count("hcat: vog compares the gradients") == 1
