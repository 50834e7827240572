"""The default size of an observation batch."""

from __future__ import annotations

import pytest
import torch

from hcat_nb.observation.batch_size import default_batch_size


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((1, 28, 28), 128),  # 784 values: 167 rows, so the power of two below
        ((3, 32, 32), 128),  # 3,072 values: 42 rows, so the fewest
        ((3, 224, 224), 128),
        ((1, 16, 16), 512),
        ((1, 8, 8), 1024),  # 2,048 rows, so the most
        ((5,), 1024),
        ((100_000,), 1024),
        ((1, 0, 0), 1024),
    ],
)
def test_on_a_cpu(shape, size):
    assert default_batch_size(shape, torch.device("cpu")) == size


def test_on_a_gpu():
    assert default_batch_size((3, 224, 224), torch.device("cuda:0")) == 4096
