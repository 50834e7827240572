"""What ranks remember of their own samples is, together, what one process remembers."""

from __future__ import annotations

import torch

from hcat_nb.methods.base import Context
from hcat_nb.observation.observer import Observer
from hcat_nb.registry import METHODS
from hcat_nb.training.shares import Replicated

PROGRAM = """
import torch
from hcat_nb.errors import SpecError
from hcat_nb.methods.base import Context, Method
from hcat_nb.methods.prototypicality import Prototypicality
from hcat_nb.methods.vog import VoG
from hcat_nb.observation.buffered import Buffered
from hcat_nb.observation.dynamics import MapDynamics
from hcat_nb.observation.keeper import DynamicsKeeper
from hcat_nb.observation.record import Need, Observation
from hcat_nb.training.ranks import together
from hcat_nb.training.shares import Replicated, Shares

N, C, E = 9, 3, 9  # as many epochs as samples: the length of an axis does not tell what it is
torch.manual_seed(0)
LABELS = torch.arange(N) % C
LABELS[7] = -1
READ = torch.tensor([0, 1, 2, 3, 4, 5, 7, 8])  # 6 cannot be read
LOGITS = torch.randn(E, N, C)
GRADIENTS = torch.randn(E, N, 4)

class Tally(Buffered):
    buffers = ("sums", "seen")
    across = {"sums": "sum"}
    def __init__(self):
        self.sums, self.seen = torch.zeros(C), torch.zeros(N)

class Odd(Buffered):
    buffers = ("sums",)
    def __init__(self):
        self.sums = torch.zeros(C)

def made():
    unreadable = torch.zeros(N, dtype=torch.bool)
    unreadable[6] = True
    vog, near = VoG(checkpoints="all"), Prototypicality()
    for method in (vog, near):
        method.begin(Context(LABELS, C, E, 0, unreadable))
    return {"map": MapDynamics(LABELS, C), "keeper": DynamicsKeeper(LABELS, E), "vog": vog,
            "near": near, "tally": Tally()}

def see(accumulators, rows, places, epochs, sweep_ended=lambda: None):
    labels = LABELS.clamp(min=0)[rows]
    for epoch in epochs:
        measured = {(Need.INPUT_GRADIENTS, accumulators["vog"].options(Need.INPUT_GRADIENTS)):
                    GRADIENTS[epoch - 1][rows]}
        record = Observation("epoch", epoch, places, labels, LOGITS[epoch - 1][rows], measured)
        for name in ("map", "keeper", "vog"):
            accumulators[name].observe(record)
        tally = accumulators["tally"]
        tally.sums = tally.sums + record.logits.sum(0)
        tally.seen[places] += 1
        sweep_ended()

def finish(accumulators, rows, places, sweep_ended=lambda: None):
    labels = LABELS.clamp(min=0)[rows]
    for sweep in (0, 1):
        measured = {(Need.EMBEDDINGS, ()): LOGITS[0][rows]}
        record = Observation("final", E, places, labels, LOGITS[-1][rows], measured, sweep)
        accumulators["near"].observe(record)
        sweep_ended()

def check(shares, one):
    for who, state in shares.states().items():
        for name, value in state.items():
            mine = one[who].state()[name]
            if name not in one[who].across:
                value, mine = value[READ], mine[READ]
            # Sums are those of ranks, added up: in another order.
            rounding = 1e-5 if "sum" in one[who].across.values() else 0
            torch.testing.assert_close(value, mine, rtol=rounding, atol=rounding, equal_nan=True)

with together() as ranks:
    whole, parts = made(), made()
    shares = Shares(ranks, ranks.portions(READ, 2), N, parts)
    mine = shares.mine
    places = shares.places(mine)
    assert places.tolist() == list(range(len(mine)))
    assert len(parts["map"].count) == len(parts["vog"].count) == len(mine)
    assert shares.owned(torch.arange(N)).tolist() == mine.tolist()

    see(whole, READ, READ, range(1, 5))
    see(parts, mine, places, range(1, 5), shares.sweep_ended)
    check(shares, whole)
    accuracy, seen = shares.look(parts["map"], 4)
    assert accuracy == whole["map"].accuracy()
    if ranks.leads:
        expected = whole["map"].snapshot(4)
        for name in ("confidence", "variability", "aleatoric", "correctness", "mean_loss"):
            torch.testing.assert_close(*(torch.from_numpy(getattr(one, name))
                                       for one in (seen, expected)), rtol=0, atol=0, equal_nan=True)

    # Go on from there, in other accumulators, as a resumed run does.
    states = ranks.broadcast(shares.states())
    parts = made()
    shares = Shares(ranks, ranks.portions(READ, 2), N, parts)
    shares.take(states)
    see(whole, READ, READ, range(5, E + 1))
    see(parts, mine, places, range(5, E + 1), shares.sweep_ended)
    finish(whole, READ, READ)
    finish(parts, mine, places, shares.sweep_ended)
    check(shares, whole)
    shares.gather()
    shares.gather()  # once is enough
    if ranks.leads:
        assert len(parts["map"].labels) == len(parts["vog"].context.labels) == N
        for who in ("vog", "near"):
            one, two = whole[who].scores(), parts[who].scores()
            torch.testing.assert_close(one.scores, two.scores, rtol=1e-6, atol=1e-6, equal_nan=True)
            assert one.status == two.status

    staged, presented = torch.full((N, C), 7.0), torch.zeros(N, dtype=torch.bool)
    staged[ranks.rank], presented[ranks.rank] = float(ranks.rank), True
    Replicated(ranks).exchange(staged, presented)
    assert presented.tolist() == [row < ranks.size for row in range(N)]
    assert staged[:, 0].tolist() == [row if row < ranks.size else 0 for row in range(N)]
    try:
        Shares(ranks, ranks.portions(READ, 2), N, {"odd": Odd()})
    except SpecError as error:
        assert "odd.sums is (3,)" in str(error) and "odd.across" in str(error), error
    else:
        raise AssertionError("a sum of samples was taken for rows")
"""


def test_steps_are_forgotten_where_another_process_remembers_them():
    """Else the next epoch would add them to what is trained elsewhere."""

    class Elsewhere(Replicated):
        def exchange(self, staged, presented):
            seen.append(presented.tolist())

        def owned(self, rows):
            return rows[:0]

    seen: list[list[bool]] = []
    forgetting, labels = METHODS.get("forgetting")(), torch.zeros(3, dtype=torch.int64)
    forgetting.begin(Context(labels, 2, 2))
    observer = Observer(
        torch.nn.Linear(4, 2), torch.zeros(3, 4), labels, torch.arange(3), [forgetting],
        n_classes=2, batch_size=2, seed=0, sharing=Elsewhere(None),
    )  # fmt: skip
    observer.record_step(torch.tensor([1]), torch.zeros(1, 2))
    observer.end_epoch(1, last=False)
    observer.end_epoch(2, last=True)
    assert seen == [[False, True, False], [False, False, False]]


def test_parts_make_the_whole(torchrun):
    torchrun(PROGRAM, processes=2)
