"""CIFAR-100: a small set in torchvision's layout, with the hundred real names."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest
from torchvision.datasets import CIFAR100 as PUBLISHED

from hcat_nb.data.sources.cifar100 import CIFAR100
from hcat_nb.perturbations._apply import perturb

N = 300
ROWS = np.random.default_rng(0).integers(0, 256, (N, 3072), dtype=np.uint8)
LABELS = [*range(100)] * 3

# as its author lists superclasses
SOME_SUPERCLASSES = (
    {"beaver", "dolphin", "otter", "seal", "whale"},
    {"clock", "keyboard", "lamp", "telephone", "television"},
    {"baby", "boy", "girl", "man", "woman"},
    {"maple_tree", "oak_tree", "palm_tree", "pine_tree", "willow_tree"},
    {"lawn_mower", "rocket", "streetcar", "tank", "tractor"},
)
NAMES = """
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus
butterfly camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch
crab crocodile cup dinosaur dolphin elephant flatfish forest fox girl hamster house
kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle
mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree
plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark
shrew skunk skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table
tank telephone television tiger tractor train trout tulip turtle wardrobe whale
willow_tree wolf woman worm
""".split()  # noqa: SIM905 (a hundred quotes hide them)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write the files, and make their checksums the published ones."""
    folder = tmp_path / PUBLISHED.base_folder
    folder.mkdir()

    def write(name: str, content: object) -> str:
        packed = pickle.dumps(content)
        (folder / name).write_bytes(packed)
        return hashlib.md5(packed).hexdigest()

    train = {"data": ROWS, "fine_labels": LABELS, "coarse_labels": [0] * N}
    monkeypatch.setattr(PUBLISHED, "train_list", [["train", write("train", train)]])
    monkeypatch.setattr(PUBLISHED, "test_list", [["test", write("test", train)]])
    md5 = write("meta", {"fine_label_names": NAMES})
    monkeypatch.setattr(PUBLISHED, "meta", {**PUBLISHED.meta, "md5": md5})
    return tmp_path


def test_fine_labels_are_read(root: Path) -> None:
    dataset = CIFAR100(root=root, download=False).load()
    assert np.array_equal(dataset.features.numpy(), ROWS.reshape(N, 3, 32, 32))
    assert dataset.labels.tolist() == LABELS
    assert dataset.class_values == tuple(NAMES)
    assert dataset.flip_keeps_label


def test_instance_noise_stays_within_the_superclass(root: Path) -> None:
    dataset = CIFAR100(root=root, download=False).load()
    truth = perturb(dataset, "instance", p=0.9, seed=0).truth
    changed = truth[truth.is_hard]
    assert len(changed) == 270
    pairs = list(zip(changed.original_label, changed.observed_label, strict=True))
    for superclass in SOME_SUPERCLASSES:
        inside = [pair for pair in pairs if pair[0] in superclass]
        assert inside
        assert all(new in superclass and new != old for old, new in inside)
