"""The self-check's planted faults are what they are called."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hcat_nb.api._planted import FAULTS, planted, small_network


def nearest_centre(dataset, is_hard, own):
    """Each sample's distances to the means of the sound samples of each class, and the nearest."""
    x = dataset.features.numpy()
    centres = np.stack([x[~is_hard & (own == code)].mean(axis=0) for code in range(4)])
    distances = np.linalg.norm(x[:, None] - centres, axis=2)
    return distances, distances.argmin(axis=1)


@pytest.mark.parametrize("fault", FAULTS)
def test_one_in_ten_has_the_fault_and_the_rest_is_sound(fault):
    dataset, is_hard = planted(fault, 0)
    labels = dataset.labels.numpy()
    assert is_hard.sum() == 40
    assert dataset.class_counts.sum() == 400
    distances, nearest = nearest_centre(dataset, is_hard, labels)
    assert (nearest == labels)[~is_hard].all()
    own, other = np.sort(distances[is_hard], axis=1)[:, :2].T
    sound = np.sort(distances[~is_hard], axis=1)[:, 0]
    if fault == "mislabel":  # each lies in the midst of another class
        assert (nearest != labels)[is_hard].all()
        assert own.mean() == pytest.approx(sound.mean(), rel=0.1)
    elif fault == "boundary":  # the two nearest classes are as near
        # 6 / sqrt(2) = 4.2 from both; the noise of sd 1 in 12 columns moves it to 5.4
        assert np.abs(own - other).mean() < 2
        assert own.mean() > sound.mean() + 1
    else:  # beyond all classes: 6 from the origin, at a right angle to every class's axis
        assert own.mean() > sound.mean() + 3
        right = (nearest == labels)[is_hard].mean()
        assert right > 0.6 if fault == "atypical" else right < 0.5


def test_same_seed_same_table_other_seed_other_table():
    first, again, other = (planted("ood", seed)[0].features for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_network_fits_the_tables_and_drops_units():
    dataset, _ = planted("ood", 0)
    network = small_network()
    assert network(dataset.features).shape == (400, 4)
    assert not torch.equal(network(dataset.features), network(dataset.features))
