from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.errors import SpecError
from hcat_nb.perturbations.uniform import Uniform


def make(labels, n_classes):
    labels = torch.as_tensor(labels)
    return LabelledDataset(
        "toy", torch.zeros(len(labels), 1), labels, tuple(range(n_classes)),
        pd.RangeIndex(len(labels)),
    )  # fmt: skip


def test_each_other_class_is_as_likely():
    data = make(torch.arange(50_000) % 5, 5)
    result = Uniform()(data, 0.5, 0)
    hard = result.truth.is_hard.to_numpy()
    before, after = data.labels.numpy()[hard], result.dataset.labels.numpy()[hard]
    table = np.zeros((5, 5))
    np.add.at(table, (before, after), 1)
    assert np.diag(table).sum() == 0
    expected = (table.sum(axis=1) / 4)[:, None]
    off = ~np.eye(5, dtype=bool)
    chi2 = (((table - expected) ** 2 / expected)[off]).sum()
    # 5 rows x 3 degrees of freedom; the .9999 quantile of chi-square with 15 is 44.3.
    assert chi2 < 44.3


def test_classes_without_samples_are_no_target():
    data = make(torch.tensor([0, 1, 3]).repeat(100), 5)
    after = Uniform()(data, 0.9, 0).dataset
    assert set(after.labels.tolist()) <= {0, 1, 3}


def test_two_classes_take_the_other_one():
    data = make(torch.arange(100) % 2, 2)
    result = Uniform()(data, 0.4, 0)
    hard = torch.tensor(result.truth.is_hard.to_numpy())
    assert torch.equal(result.dataset.labels[hard], 1 - data.labels[hard])


def test_hcat_draws_from_all_classes_and_counts_every_draw():
    data = make(torch.arange(20_000) % 10, 10)
    result = Uniform(variant="hcat")(data, 0.5, 0)
    hard = result.truth.is_hard.to_numpy()
    assert hard.sum() == 10_000
    kept = (result.dataset.labels == data.labels).numpy()
    assert kept[~hard].all()
    # Binomial(10,000, .1): sd 30; 4 sd.
    assert abs(kept[hard].sum() - 1000) < 120


def test_a_variant_that_does_not_exist():
    with pytest.raises(SpecError, match="variant is 'hact'; expected one of paper, hcat"):
        Uniform(variant="hact")
