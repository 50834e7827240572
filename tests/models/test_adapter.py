"""Scaling inside the model."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from torch import nn

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.models._adapter import AdaptedModel, fit_scaling


def table(features: np.ndarray, labels: list[int] | None = None) -> LabelledDataset:
    n = len(features)
    codes = torch.tensor(labels if labels is not None else [i % 2 for i in range(n)])
    return LabelledDataset(
        "t", torch.tensor(features, dtype=torch.float32), codes, (0, 1), pd.RangeIndex(n)
    )


def images(features: torch.Tensor, value_range: tuple[float, float]) -> LabelledDataset:
    n = len(features)
    codes = torch.arange(n) % 2
    return LabelledDataset("i", features, codes, (0, 1), pd.RangeIndex(n), value_range=value_range)


def test_images_are_mapped_from_their_valid_range_to_minus_one_and_one():
    data = images(torch.tensor([0, 255], dtype=torch.uint8).reshape(2, 1, 1, 1), (0, 255))
    assert fit_scaling(data, "auto")(data.features).ravel().tolist() == [-1, 1]


def test_images_that_their_owner_scaled_are_left_alone():
    data = images(torch.tensor([-1.0, 1.0]).reshape(2, 1, 1, 1), (-1, 1))
    assert torch.equal(fit_scaling(data, "auto")(data.features), data.features)


def test_tables_are_standardised_as_scikit_learn_does():
    rng = np.random.default_rng(0)
    features = rng.normal([5, -3, 1e4], [1, 20, 3], size=(200, 3))
    data = table(features)
    expected = StandardScaler().fit_transform(data.features.numpy().astype(np.float64))
    # float32 features around 1e4 with spread 3 keep about 1e-3 of absolute precision
    assert np.allclose(fit_scaling(data, "auto")(data.features), expected, atol=1e-3)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e6])
def test_a_constant_column_becomes_zero(value):
    features = np.column_stack([np.full(50, value), np.arange(50)])
    scaled = fit_scaling(table(features), "auto")(table(features).features)
    assert (scaled[:, 0] == 0).all()


def test_only_trainable_rows_are_fitted():
    features = np.array([[0.0], [2.0], [1e6]])
    scaling = fit_scaling(table(features, [0, 1, -1]), "auto")
    assert (float(scaling.shift), float(scaling.scale)) == (1.0, 1.0)


def test_none_means_none():
    data = table(np.array([[3.0], [5.0]]))
    assert torch.equal(fit_scaling(data, "none")(data.features), data.features)


def test_the_constants_are_saved_with_the_weights():
    data = table(np.array([[3.0], [5.0]]))
    model = AdaptedModel(fit_scaling(data, "auto"), nn.Linear(1, 2))
    assert {"scaling.shift", "scaling.scale", "net.weight"} <= set(model.state_dict())


def mixed(features: np.ndarray, **fields: object) -> LabelledDataset:
    return dataclasses.replace(table(features), **fields)


def test_mixed_tables_are_encoded_as_by_scikit_learns_column_transformer():
    rng = np.random.default_rng(0)
    features = np.column_stack(
        [rng.integers(0, 4, 200), rng.normal(5, 20, 200), rng.integers(0, 2, 200)]
    )
    data = mixed(features, levels={0: tuple("abcd"), 2: ("no", "yes")})
    reference = ColumnTransformer(
        [("numbers", StandardScaler(), [1]), ("categories", OneHotEncoder(), [0, 2])],
        sparse_threshold=0,
    )
    expected = reference.fit_transform(data.features.numpy().astype(np.float64))
    encoded = fit_scaling(data, "auto")(data.features)
    assert encoded.shape[1:] == data.encoded_shape
    assert np.allclose(encoded, expected, atol=1e-5)  # float32


def test_categories_are_encoded_where_numbers_are_left_alone():
    data = mixed(np.array([[1, 7.5], [0, 2.5]]), levels={0: ("a", "b")})
    assert fit_scaling(data, "none")(data.features).tolist() == [[7.5, 0, 1], [2.5, 1, 0]]


def test_words_keep_their_zeros_and_proportions():
    weights = np.array([[1, 0.6, 0.8], [2, 0, 1], [9, 1, 0]])
    data, features = mixed(weights, words=range(1, 3)), table(weights).features
    encoded = fit_scaling(data, "auto")(features)
    assert np.allclose(encoded[:, 1:], weights[:, 1:] * 10, atol=1e-5)  # a text's length
    assert encoded[:, 0].mean().abs() < 1e-6
    # three rows of length 1 in two columns: the root mean square is sqrt(1/2)
    first = fit_scaling(data, "auto", 1)(features)
    assert np.allclose(first[:, 1:], weights[:, 1:] * np.sqrt(2), atol=1e-6)


def test_an_encoding_is_saved_with_the_weights():
    data = mixed(np.array([[1, 7.5], [0, 2.5]]), levels={0: ("a", "b")})
    state = AdaptedModel(fit_scaling(data, "auto"), nn.Linear(3, 2)).state_dict()
    assert {"scaling.numbers", "scaling.source", "scaling.code"} <= set(state)
