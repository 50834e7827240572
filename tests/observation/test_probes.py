"""Each need meets the one who measures it."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from hcat_nb.errors import HcatError
from hcat_nb.observation.probes import Batch, make_probe
from hcat_nb.observation.record import Need
from hcat_nb.observation.traits import InputTraits


@pytest.mark.parametrize(
    ("need", "options", "shape"),
    [
        (Need.DROPOUT, (("k", 2),), (5, 2, 3)),
        (Need.AUGMENTED, (("k", 2),), (5, 2, 3)),
        (Need.GRADIENT_NORM, (), (5,)),
        (Need.INPUT_GRADIENTS, (("of", "softmax"),), (5, 4)),
    ],
)
def test_shapes(need, options, shape):
    net = nn.Sequential(nn.Dropout(0.5), nn.Linear(4, 3)).eval()
    x, rows = torch.randn(5, 4), torch.arange(3, 8)
    probe = make_probe(need, options, net, InputTraits(column_stds=torch.ones(4)), n=9, seed=0)
    measured = probe(Batch(rows, x, rows % 3, net(x)))
    assert measured.shape == shape
    assert measured.dtype == torch.float32


def test_what_nobody_measures():
    with pytest.raises(HcatError, match="EMBEDDINGS cannot be measured"):
        make_probe(Need.EMBEDDINGS, (), nn.Linear(1, 1), InputTraits(), n=1, seed=0)
