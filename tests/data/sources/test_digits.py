"""The bundled digits, against scikit-learn's own arrays."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.datasets import load_digits

from hcat_nb.data.sources.digits import Digits


def test_digits_equal_scikit_learns() -> None:
    dataset = Digits().load()
    images, target = load_digits().images, load_digits().target
    assert dataset.features.dtype == torch.uint8
    assert tuple(dataset.features.shape) == (1797, 1, 8, 8)
    assert np.array_equal(dataset.features[:, 0].numpy().astype(float), images)
    assert dataset.labels.tolist() == target.tolist()
    assert dataset.class_values == tuple(range(10))
    assert dataset.value_range == (0, 16)
    assert not dataset.flip_keeps_label
