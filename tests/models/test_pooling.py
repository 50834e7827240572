"""The quick pooling is torch's, value by value and gradient by gradient."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from hcat_nb.models._pooling import HalvingPool


def images(*shape: int) -> torch.Tensor:
    x = torch.randn(*shape, generator=torch.Generator().manual_seed(0)).round(decimals=1)  # ties
    x[0, 0, 0, 0] = torch.nan
    x[-1, -1, -1, -1] = -torch.inf
    return x


@pytest.mark.parametrize("shape", [(3, 5, 8, 8), (2, 1, 7, 9), (2, 4, 2, 3), (1, 3, 6, 5)])
@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_it_gives_what_max_pool_gives(shape, layout):
    x = images(*shape).contiguous(memory_format=layout)
    expected = nn.MaxPool2d(2)(x)
    found = HalvingPool()(x)
    torch.testing.assert_close(found, expected, rtol=0, atol=0, equal_nan=True)
    assert found.is_contiguous(memory_format=layout)


def test_gradients_are_max_pools_own_ties_included():
    x = images(3, 5, 8, 8).nan_to_num(0).contiguous(memory_format=torch.channels_last)
    grads = []
    for pool in (nn.MaxPool2d(2), HalvingPool()):
        leaf = x.clone().requires_grad_()
        pool(leaf).square().sum().backward()
        grads.append(leaf.grad)
    assert torch.equal(*grads)


def test_samples_without_a_batch_axis():
    x = images(3, 5, 8, 8)[0]
    torch.testing.assert_close(HalvingPool()(x), nn.MaxPool2d(2)(x), equal_nan=True)
