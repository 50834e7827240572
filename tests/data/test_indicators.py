"""Codes as indicators, and the gradient that reaches a code."""

from __future__ import annotations

import pandas as pd
import torch
from sklearn.preprocessing import OneHotEncoder

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.data.indicators import Indicators, one_hot


def table() -> LabelledDataset:
    generator = torch.Generator().manual_seed(0)
    features = torch.stack(
        [
            torch.randint(0, 3, (50,), generator=generator).float(),
            torch.randn(50, generator=generator),
            torch.randint(0, 2, (50,), generator=generator).float(),
        ],
        dim=1,
    )
    levels = {2: ("no", "yes"), 0: ("a", "b", "c")}
    labels = torch.arange(50) % 2
    return LabelledDataset("t", features, labels, (0, 1), pd.RangeIndex(50), levels=levels)


def test_indicators_are_those_of_scikit_learn() -> None:
    data = table()
    made = Indicators.of(data)
    encoder = OneHotEncoder(categories=[[0.0, 1.0, 2.0], [0.0, 1.0]], sparse_output=False)
    expected = encoder.fit_transform(data.features[:, [0, 2]].numpy())
    assert one_hot(data.features, made.source, made.code).numpy().tolist() == expected.tolist()
    assert data.encoded_shape == (len(made.numbers) + expected.shape[1],)


def test_the_gradient_of_a_code_is_that_of_its_indicator() -> None:
    data = table()
    made = Indicators.of(data)
    weights = torch.arange(1.0, 6.0)
    x = data.features.clone().requires_grad_()
    (one_hot(x, made.source, made.code) @ weights).sum().backward()
    codes = data.features.long()
    assert x.grad is not None
    assert torch.equal(x.grad[:, 0], weights[:3][codes[:, 0]])
    assert torch.equal(x.grad[:, 2], weights[3:][codes[:, 2]])
    assert not x.grad[:, 1].any()


def test_a_code_without_a_level_has_no_indicator() -> None:
    made = Indicators.of(table())
    assert not one_hot(torch.tensor([[0.5, 0.0, 7.0]]), made.source, made.code).any()
