"""Copies of rows with categories and words."""

from __future__ import annotations

import pytest
import torch

from hcat_nb.observation._augmented_tables import changed_rows
from hcat_nb.observation.traits import InputTraits

N = 20_000


def normal(columns: int) -> torch.Tensor:
    return torch.randn(N, columns, generator=torch.Generator().manual_seed(0))


def traits(shares: list[float]) -> InputTraits:
    return InputTraits(
        column_stds=torch.tensor([0.0, 2.0]), marginals={0: torch.tensor(shares).cumsum(0)}
    )


def test_a_category_is_drawn_anew_as_often_as_asked_and_as_its_levels_occur():
    shares = [0.5, 0.0, 0.2, 0.3]
    x = torch.tensor([1.0, 0.0]).expand(N, 2)  # of a level that no other row has
    copy = changed_rows(x, normal(2), traits(shares), noise=0.0, redrawn=0.25)
    counts = torch.bincount(copy[:, 0].long(), minlength=4) / N
    # 20,000 draws: five standard errors are .016 at most
    expected = 0.25 * torch.tensor(shares) + torch.tensor([0, 0.75, 0, 0])
    assert torch.allclose(counts, expected, atol=0.016)
    assert torch.equal(copy[:, 1], x[:, 1])


@pytest.mark.parametrize("redrawn", [0.0, 1.0])
def test_never_and_always(redrawn):
    x = torch.tensor([1.0, 0.0]).expand(N, 2)
    copy = changed_rows(x, normal(2), traits([0.5, 0.0, 0.2, 0.3]), noise=0.1, redrawn=redrawn)
    assert (copy[:, 0] == 1).all() == (redrawn == 0)
    assert (copy[:, 0] == 1).any() == (redrawn == 0)
    assert copy[:, 1].std().item() == pytest.approx(0.2, rel=0.03)  # 0.1 of 2; six errors of .5 %


def test_words_are_left_out_and_the_length_stays():
    x = torch.tensor([3.0, 0.6, 0.0, 0.8]).expand(N, 4)
    words = InputTraits(column_stds=torch.tensor([0.0] * 4), words=range(1, 4))
    copy = changed_rows(x, normal(4), words, noise=0.1, redrawn=0.1)
    assert torch.equal(copy[:, 0], x[:, 0])
    assert not copy[:, 2].any()
    assert (copy[:, 1] == 0).float().mean().item() == pytest.approx(0.1, abs=0.011)  # five errors
    lengths = copy[:, 1:].norm(dim=1)
    gone = (copy[:, 1:] == 0).all(1)
    assert torch.allclose(lengths[~gone], torch.tensor(1.0))
    assert 0 < gone.float().mean() < 0.02
