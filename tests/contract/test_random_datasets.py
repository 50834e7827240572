"""Field report A18: datasets that draw at random when a row is read."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from hcat_nb.api.characterize import characterize
from hcat_nb.data.loading import load


class Noisy(Dataset[Any]):
    """Images whose augmentation draws from every global stream, as people's do."""

    def __len__(self) -> int:
        return 48

    def __getitem__(self, row: int) -> tuple[np.ndarray, int]:
        image = np.zeros((1, 16, 16), np.float32)
        image[:, :8] += row % 2
        image += np.random.normal(0, 0.2, image.shape)  # noqa: NPY002
        image += random.uniform(0, 0.1) + 0.1 * torch.rand(()).item()
        return image, row % 2


def scored(data: Any, seed: int = 0) -> pd.DataFrame:
    return characterize(
        data, model="lenet", methods="allsh,loss", epochs=2, batch_size=16, seed=seed
    ).scores


@pytest.fixture(scope="module")
def alone() -> pd.DataFrame:
    return scored(Noisy())


@pytest.mark.parametrize("workers", [0, 1, 4])
def test_the_same_seed_gives_the_same_scores_whatever_the_workers(
    alone: pd.DataFrame, workers: int
) -> None:
    np.random.random(workers + 1)  # noqa: NPY002 (what was drawn before does not matter)
    torch.rand(3)
    loader = DataLoader(Noisy(), batch_size=8, shuffle=True, num_workers=workers)
    pd.testing.assert_frame_equal(scored(loader), alone, check_exact=True)


def test_another_seed_draws_anew(alone: pd.DataFrame) -> None:
    assert not scored(Noisy(), seed=1).equals(alone)
    assert not torch.equal(load(Noisy(), seed=1).features, load(Noisy()).features)


def test_no_two_rows_share_their_draws() -> None:
    """Workers that were seeded alike would add the same noise to several rows."""
    features = load(Noisy()).features
    noise = features - torch.stack([features[i % 2 :: 2].mean(0) for i in range(48)])
    # unlike draws lie about 4.5 apart: .2 * sqrt(2 * 256)
    same = torch.cdist(noise.flatten(1), noise.flatten(1)) < 1
    assert int(same.sum()) == 48  # each with itself


def test_the_users_streams_are_left_as_they_were() -> None:
    state = (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state())  # noqa: NPY002
    load(Noisy())
    assert random.getstate() == state[0]
    assert np.random.get_state()[1].tolist() == state[1]  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), state[2])
