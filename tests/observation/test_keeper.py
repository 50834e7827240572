"""Kept dynamics."""

from __future__ import annotations

import numpy as np
import torch

from hcat_nb.observation.keeper import DynamicsKeeper
from hcat_nb.observation.record import Observation


def test_it_keeps_label_probabilities_by_epoch():
    labels = torch.tensor([0, 1, -1])
    keeper = DynamicsKeeper(labels, n_epochs=3)
    for epoch, odds in enumerate((1.0, 3.0), start=1):
        logits = torch.tensor([[np.log(odds), 0.0]]).repeat(3, 1).float()
        keeper.observe(Observation("epoch", epoch, torch.arange(3), labels.clamp(min=0), logits))
    columns = keeper.columns()
    assert list(columns) == ["epoch_1", "epoch_2"]
    assert np.allclose(columns["epoch_2"], [0.75, 0.25, np.nan], equal_nan=True)


def test_narrowed_it_keeps_these_samples_and_all_epochs():
    keeper = DynamicsKeeper(torch.tensor([0, -1, 1]), n_epochs=3)
    keeper.narrow(torch.tensor([1, 2]))
    rows, labels = torch.arange(2), torch.tensor([0, 1])
    keeper.observe(Observation("epoch", 1, rows, labels, torch.zeros(2, 2)))
    columns = keeper.columns()
    assert list(columns) == ["epoch_1"]
    assert np.array_equal(columns["epoch_1"], np.float32([np.nan, 0.5]), equal_nan=True)
