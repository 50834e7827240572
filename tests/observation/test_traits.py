"""What the observer learns about the raw inputs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.observation.traits import InputTraits


def dataset(features: torch.Tensor, **fields) -> LabelledDataset:
    n = len(features)
    return LabelledDataset("own", features, torch.arange(n) % 2, (0, 1), pd.RangeIndex(n), **fields)


def test_images_have_a_range_and_no_columns():
    images = torch.zeros(4, 1, 2, 2, dtype=torch.uint8)
    traits = InputTraits.of(dataset(images, value_range=(0, 16), flip_keeps_label=True))
    assert traits.value_range == (0, 16)
    assert traits.flip_keeps_label
    assert traits.column_stds is None


def test_columns_have_population_deviations_of_the_rows_that_can_be_read():
    rows = np.random.default_rng(0).normal(5, [1, 100, 0], (50, 3)).astype(np.float32)
    kept = np.vstack([rows, np.zeros((1, 3), dtype=np.float32)])
    unreadable = torch.arange(51) == 50
    traits = InputTraits.of(dataset(torch.from_numpy(kept), unreadable=unreadable))
    # rounded once to float32
    np.testing.assert_allclose(traits.column_stds, rows.astype(float).std(0), rtol=1e-6, atol=1e-6)
    assert traits.value_range is None


def test_categories_have_shares_and_no_deviation_and_words_neither():
    columns = [[0, 2, 2, 1], [1, 2, 3, 4], [0.5, 0, 0, 1]]
    rows = torch.tensor(columns, dtype=torch.float32).T
    traits = InputTraits.of(dataset(rows, levels={0: ("a", "b", "c", "d")}, words=range(2, 3)))
    assert traits.marginals[0].tolist() == [0.25, 0.5, 1, 1]
    assert traits.column_stds[[0, 2]].tolist() == [0, 0]
    assert traits.column_stds[1] > 1
    assert traits.words == range(2, 3)
