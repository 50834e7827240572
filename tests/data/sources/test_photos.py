"""The bundled patches of photographs, against scikit-learn's own arrays."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.datasets import load_sample_image

from hcat_nb.data.sources.photos import Photos


def test_patches_are_places_of_the_photographs_at_half_size() -> None:
    dataset = Photos().load()
    assert dataset.features.shape == (1200, 3, 32, 32)
    assert dataset.features.dtype == torch.uint8
    assert dataset.value_range == (0.0, 255.0)
    assert dataset.class_counts.tolist() == [600, 600]
    assert dataset.class_values == ("china", "flower")
    assert dataset.flip_keeps_label
    for code, file in enumerate(("china.jpg", "flower.jpg")):
        whole = load_sample_image(file).astype(float)[:426, :640]
        half = (whole[::2, ::2] + whole[1::2, ::2] + whole[::2, 1::2] + whole[1::2, 1::2]) / 4
        patch = dataset.features[600 * code + 123].permute(1, 2, 0).numpy()
        places = [
            (top, left)
            for top in range(0, 213 - 31, 8)
            for left in range(0, 320 - 31, 8)
            if np.abs(half[top : top + 32, left : left + 32] - patch).max() <= 0.5
        ]
        assert len(places) == 1


def test_patches_differ_and_none_is_bare_sky() -> None:
    features = Photos().load().features
    assert len(torch.unique(features.flatten(1), dim=0)) == len(features)
    assert (features.float().flatten(1).std(1) > 10).all()
