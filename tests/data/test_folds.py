"""What belongs together is never on both sides."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hcat_nb.data.folds import split_rows, units
from hcat_nb.data.loading import load
from hcat_nb.errors import DataError


def _made(n: int = 60, groups: list[int] | None = None) -> object:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(n, 3))
    features[10] = features[11] = features[12]
    data = load(features, rng.integers(0, 3, n))
    return data if groups is None else data.replace(groups=torch.tensor(groups))


def test_each_row_is_held_out_once_and_duplicates_share_a_fold() -> None:
    data = _made()
    parts = split_rows(data, 5, 0)
    held = torch.cat([held for _, held in parts])
    assert sorted(held.tolist()) == list(range(60))
    for learned, out in parts:
        assert not set(learned.tolist()) & set(out.tolist())
        assert len({10, 11, 12} & set(out.tolist())) in (0, 3)
        assert (learned.diff() > 0).all()


def test_groups_share_a_fold_and_a_twin_joins_groups() -> None:
    groups = [row // 4 for row in range(60)]  # 11 and 12 are twins in two groups
    data = _made(groups=groups)
    together = units(data)
    assert len(set(together[[8, 9, 10, 11, 12, 13, 14, 15]])) == 1
    assert len(set(together.tolist())) == 14
    for learned, out in split_rows(data, 5, 3):
        assert not set(together[learned]) & set(together[out])


def test_rows_without_a_group_are_alone() -> None:
    data = _made(groups=[-1] * 60)
    assert len(set(units(data).tolist())) == 58  # three are the same row


def test_strata_are_kept_where_nothing_belongs_together() -> None:
    labels = np.repeat([0, 1], [80, 20])
    data = load(np.random.default_rng(1).normal(size=(100, 2)), labels)
    for _, out in split_rows(data, 5, 0):
        assert data.labels[out].bincount().tolist() == [16, 4]


def test_the_seed_decides() -> None:
    data = _made()
    first, again, other = (split_rows(data, 4, seed)[0][1].tolist() for seed in (0, 0, 1))
    assert first == again != other


def test_too_few_groups_are_named() -> None:
    data = _made(groups=[int(row < 20) for row in range(60)])
    with pytest.raises(DataError, match=r"5 folds for 2 groups of rows.*at most 2"):
        split_rows(data, 5, 0)
