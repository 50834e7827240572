"""Class counts of MedMNIST, as its paper's table gives them."""

from __future__ import annotations

from hcat_nb.data.sources._medmnist_classes import CLASSES, FINDINGS

# Yang et al. 2023, table 1: two-dimensional datasets
PUBLISHED = {
    "pathmnist": 9,
    "dermamnist": 7,
    "octmnist": 4,
    "pneumoniamnist": 2,
    "retinamnist": 5,
    "breastmnist": 2,
    "bloodmnist": 8,
    "tissuemnist": 8,
    "organamnist": 11,
    "organcmnist": 11,
    "organsmnist": 11,
}


def test_every_dataset_has_its_number_of_different_classes() -> None:
    assert {name: len(set(classes)) for name, classes in CLASSES.items()} == PUBLISHED
    assert len(set(FINDINGS)) == 14
