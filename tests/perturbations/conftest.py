from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from hcat_nb.data.dataset import LabelledDataset


def _images(features, value_range=None, name="toy"):
    features = torch.as_tensor(features)
    if value_range is None:
        value_range = (0.0, 1.0) if features.dtype.is_floating_point else (0.0, 255.0)
    n = len(features)
    return LabelledDataset(
        name, features, torch.arange(n) % 2, (0, 1), pd.RangeIndex(n), value_range=value_range
    )


def _table(features, names=None, name="toy"):
    features = torch.from_numpy(np.array(features, dtype=np.float32))
    n = len(features)
    return LabelledDataset(
        name, features, torch.arange(n) % 2, (0, 1), pd.RangeIndex(n), feature_names=names
    )


@pytest.fixture
def images():
    """Make an image dataset of features."""
    return _images


@pytest.fixture
def table():
    """Make a table dataset of features."""
    return _table


@pytest.fixture
def noise_images():
    """Make n images of uint8 noise."""

    def make(n=40, channels=1, side=8, seed=0):
        generator = torch.Generator().manual_seed(seed)
        shape = (n, channels, side, side)
        return _images(torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8))

    return make
