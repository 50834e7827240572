"""Numbers that are drawn again are those that were drawn at once."""

from __future__ import annotations

import pytest
import torch

from hcat_nb.observation import _blocked_draws
from hcat_nb.observation._blocked_draws import BlockedDraws

N, WIDTH = 50, 9


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(3)


@pytest.fixture
def draws(monkeypatch) -> BlockedDraws:
    monkeypatch.setattr(_blocked_draws, "_BLOCK", 8)
    return BlockedDraws(N, WIDTH, generator())


@pytest.mark.parametrize(
    "parts",
    [
        [torch.arange(N)],
        list(torch.arange(N).split(7)),
        list(torch.arange(N).flip(0).split(7)),
        [torch.tensor([49, 3, 3, 20]), torch.tensor([], dtype=torch.int64), torch.tensor([0])],
    ],
    ids=["at once", "in parts", "backwards", "here and there"],
)
def test_the_numbers_are_those_of_one_drawing(draws, parts):
    whole = torch.rand(N, WIDTH, generator=generator())
    for rows in parts:
        assert torch.equal(draws.of(rows), whole[rows])


def test_a_real_block_begins_where_the_one_before_ends():
    rows = torch.tensor([0, _blocked_draws._BLOCK - 1, _blocked_draws._BLOCK, 20_000])
    whole = torch.rand(20_001, WIDTH, generator=generator())
    assert torch.equal(BlockedDraws(20_001, WIDTH, generator()).of(rows), whole[rows])


def test_one_block_is_held(draws):
    draws.of(torch.arange(N))
    assert draws.block(6) is draws.block(6)
    assert len(draws.block(6)) == 2  # of the last block there are two rows
    assert draws.block(0).shape == (8, WIDTH)
