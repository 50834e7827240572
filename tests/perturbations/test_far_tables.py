from __future__ import annotations

import numpy as np
import pytest
import torch

from hcat_nb.perturbations._far_tables import beyond, flip_bits, flippable, other_level


def rows(n, k, seed=0):
    return torch.from_numpy(np.sort(np.random.default_rng(seed).choice(n, k, replace=False)))


@pytest.mark.parametrize("decimals", [None, 1, 0])
def test_numbers_lie_a_quarter_to_one_range_outside(table, decimals):
    values = np.random.default_rng(0).uniform(-3, 17, 4000)
    values = values if decimals is None else np.round(values, decimals)
    data = table(values[:, None])
    chosen = rows(4000, 2000)
    after = beyond(data, chosen, (), np.random.default_rng(0))[chosen, 0].double().numpy()
    low, high = data.features.min().item(), data.features.max().item()
    reach = np.where(after > high, after - high, low - after) / (high - low)
    assert reach.min() >= 0.25 - 1e-6  # float32
    assert reach.max() <= 1 + 1e-6
    # Uniform: mean .625, sd .2165 / sqrt(2000); 5 sd, and half a unit of rounding outward.
    assert abs(reach.mean() - 0.625) < 0.024 + (0 if decimals is None else 10.0**-decimals / 40)
    # Binomial(2000, .5): sd 22.4; 5 sd.
    assert abs((after > high).sum() - 1000) < 112
    if decimals is not None:
        assert (np.round(after, decimals).astype(np.float32) == after).all()


def test_small_whole_numbers_stay_whole_and_within_one_range(table):
    data = table((np.arange(60) % 3)[:, None])
    after = beyond(data, torch.arange(30), (), np.random.default_rng(0))[:30, 0]
    assert set(after.tolist()) == {-2.0, -1.0, 3.0, 4.0}


def test_blocks_and_flags_get_another_member(table):
    rng = np.random.default_rng(0)
    kinds, flag = rng.integers(0, 3, 3000), rng.integers(0, 2, 3000)
    block = np.eye(4)[np.where(kinds == 2, 3, kinds)]  # the third member is in no row
    data = table(np.column_stack([block, flag, np.full(3000, 5)]))
    chosen = rows(3000, 1500)
    after = beyond(data, chosen, (), rng)[chosen].numpy()
    before = data.features[chosen].numpy()
    assert (after[:, :4].sum(axis=1) == 1).all()
    assert (after[:, 2] == 0).all()
    assert (after[:, :4].argmax(1) != before[:, :4].argmax(1)).all()
    # Each of the two other members: Binomial(~500, .5), sd 11; 5 sd.
    for old, (one, other) in {0: (1, 3), 1: (0, 3), 3: (0, 1)}.items():
        new = after[before[:, :4].argmax(1) == old][:, :4].argmax(1)
        assert abs((new == one).sum() - (new == other).sum()) < 112
    assert (after[:, 4] == 1 - before[:, 4]).all()
    assert (after[:, 5] == 5).all()


def test_codes_of_categories_become_other_codes(table):
    data = table((np.arange(3000) % 3 * 10)[:, None])
    chosen = rows(3000, 1500)
    after = beyond(data, chosen, {0}, np.random.default_rng(0))[chosen, 0]
    assert set(after.tolist()) == {0.0, 10.0, 20.0}
    assert (after != data.features[chosen, 0]).all()


def test_rows_that_are_not_chosen_stay(table):
    data = table(np.random.default_rng(0).normal(size=(50, 4)))
    after = beyond(data, torch.arange(10), (), np.random.default_rng(0))
    assert torch.equal(after[10:], data.features[10:])
    assert (after[:10] != data.features[:10]).all()


def test_other_level_is_even():
    now = torch.tensor([2.0] * 4000)
    other = other_level(now, torch.tensor([1.0, 2.0, 4.0]), np.random.default_rng(0))
    # Binomial(4000, .5): sd 31.6; 5 sd.
    assert set(other.tolist()) == {1.0, 4.0}
    assert abs((other == 1).sum() - 2000) < 158


def test_hcat_flips_two_zeros_and_two_ones():
    features = torch.tensor(np.random.default_rng(0).integers(0, 3, (300, 12))).float()
    possible = flippable(features)
    expected = ((features == 0).sum(1) >= 2) & ((features == 1).sum(1) >= 2)
    assert torch.equal(possible, expected)
    before = features[possible]
    after = flip_bits(before, np.random.default_rng(0))
    assert (((before == 0) & (after == 1)).sum(1) == 2).all()
    assert (((before == 1) & (after == 0)).sum(1) == 2).all()
    assert ((before != after).sum(1) == 4).all()
