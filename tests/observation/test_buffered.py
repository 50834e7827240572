"""A memory of named tensors; what methods do with it stands in contract/test_methods.py."""

from __future__ import annotations

import pytest
import torch

from hcat_nb.errors import SpecError
from hcat_nb.observation.buffered import Buffered


class Memory(Buffered):
    buffers = ("sums", "seen")

    def __init__(self, n: int, width: int = 0) -> None:
        self.sums = torch.zeros(n, width)
        self.seen = torch.zeros(n, dtype=torch.bool)


def test_it_takes_over_what_another_remembers_as_a_copy():
    first, second = Memory(3, 2), Memory(3)  # the width is told by the first record
    first.sums += 1
    second.load_state(first.state())
    first.sums += 1
    assert torch.equal(second.sums, torch.ones(3, 2))
    assert first.state()["sums"] is first.sums


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"sums": torch.zeros(3, 2)}, r"the state of Memory has \['sums'\]; expected \['seen'"),
        ({"sums": torch.zeros(4, 2), "seen": torch.zeros(3, dtype=torch.bool)}, "Memory.sums is"),
        ({"sums": torch.zeros(3, 2), "seen": torch.zeros(3)}, "Memory.seen is .* torch.float32"),
    ],
)
def test_it_refuses_what_does_not_fit(state, message):
    with pytest.raises(SpecError, match=message):
        Memory(3).load_state(state)


def test_it_keeps_some_samples_and_what_is_of_no_single_one():
    class Summing(Memory):
        across = {"seen": "any"}  # noqa: RUF012 - as a user writes it

    memory = Summing(3, 2)
    memory.sums += torch.arange(3)[:, None]
    memory.narrow(torch.tensor([2, 0]))
    assert memory.sums[:, 0].tolist() == [2, 0]
    assert len(memory.seen) == 3
