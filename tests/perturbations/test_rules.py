from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.data.loading import load
from hcat_nb.data.sources.kmnist import CLASSES as KANA
from hcat_nb.data.sources.medmnist import CLASSES
from hcat_nb.errors import DataError
from hcat_nb.perturbations._apply import perturb
from hcat_nb.perturbations._rules import BUILT_IN, built_in, confused
from hcat_nb.perturbations.instance import Instance
from hcat_nb.registry import SOURCES


def blobs(n=600, seed=0):
    """Return four classes, of which only the middle two, 2 standard deviations apart, overlap."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 4
    centres = np.array([[-20.0, 0.0], [0.0, -1.0], [0.0, 1.0], [20.0, 0.0]])
    features = rng.normal(centres[labels], 1.0)
    return LabelledDataset(
        "blobs",
        torch.tensor(features, dtype=torch.float32),
        torch.from_numpy(labels),
        ("w", "x", "y", "z"),
        pd.RangeIndex(n),
    )


def test_confusions_are_those_of_the_overlap():
    counts = confused(blobs(), seed=0)
    assert counts.sum() == 600
    assert counts[0, 0] == counts[3, 3] == 150
    # Two unit normals, centres 2 apart: 15.9 % are on the wrong side; 150 draws, sd .03; 3.5 sd.
    assert abs(counts[1, 2] / 150 - 0.159) < 0.105
    assert abs(counts[2, 1] / 150 - 0.159) < 0.105


def test_instance_noise_by_confusion_flips_the_overlapping_classes_only():
    data = blobs()
    truth = Instance(rule_matrix="confusion")(data, 0.3, 0).truth
    hard = truth[truth.is_hard]
    assert set(zip(hard.original_label, hard.observed_label, strict=True)) == {
        ("x", "y"), ("y", "x"),
    }  # fmt: skip


def test_confusion_is_seeded():
    first, again, other = (confused(blobs(), seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_images_constant_features_and_rare_classes_do_not_stop_it():
    rng = np.random.default_rng(0)
    labels = torch.tensor([0, 1] * 30 + [2])
    images = torch.from_numpy(rng.integers(0, 256, (61, 3, 4, 4), dtype=np.uint8))
    images[:, :, 0] = 7
    data = LabelledDataset(
        "toy", images, labels, (0, 1, 2), pd.RangeIndex(61), value_range=(0.0, 255.0)
    )
    counts = confused(data, seed=0)
    assert counts.sum() == 60
    assert counts[2].sum() == 0


def test_too_little_to_estimate_from():
    data = blobs(8)
    with pytest.raises(DataError, match="two classes with at least 3 samples"):
        confused(data, seed=0)


def test_of_two_classes_each_is_taken_for_the_other():
    data = blobs().replace(labels=torch.arange(600) % 2, class_values=("no", "yes"))
    assert built_in(data).tolist() == [[0, 1], [1, 0]]


def test_a_class_without_samples_is_no_target():
    data = blobs().replace(name="retinamnist", class_values=(0, 1, 2, 3, 4))
    weights = built_in(data)
    assert weights[3].tolist() == [0, 0, 1, 0, 0]
    assert weights[2].tolist() == [0, 1, 0, 1, 0]


def test_every_dataset_whose_classes_are_known_beforehand_has_rules():
    fixed = {name for name in SOURCES.names() if SOURCES.get(name).n_samples is not None}
    assert fixed <= set(BUILT_IN)


@pytest.mark.parametrize("name", [name for name in SOURCES.names() if SOURCES.get(name).bundled])
def test_rules_fit_the_bundled_datasets(name):
    data = load(name)
    truth = perturb(data, "instance", 0.1, seed=0).truth
    assert truth.is_hard.sum() == int(0.1 * len(data) + 0.5)


def test_wines_are_taken_for_their_neighbours_in_flavanoids():
    data = load("wine")
    flavanoids = data.features[:, data.feature_names.index("flavanoids")]
    means = [flavanoids[data.labels == code].mean() for code in range(3)]
    assert means[0] > means[1] > means[2]
    assert BUILT_IN["wine"][1] == {0: (1,), 1: (0, 2), 2: (1,)}


def test_jannis_classes_are_taken_for_what_they_are_confused_with(shared_data):
    path = str(shared_data / "tables" / "jannis_sample.parquet")
    data = load("jannis", path=path, drop="openml_row")
    counts = confused(data, seed=0)
    np.fill_diagonal(counts, 0)
    assert dict(enumerate(counts.argmax(1))) == {0: 1, 1: 3, 2: 1, 3: 1}
    assert BUILT_IN["jannis"][1] == {0: (1,), 1: (3,), 2: (1,), 3: (1,)}


@pytest.mark.parametrize("name", BUILT_IN)
def test_rules_name_classes_that_exist_and_never_themselves(name: str) -> None:
    n_classes, rule = BUILT_IN[name]
    for code, targets in rule.items():
        assert code not in targets
        assert len(set(targets)) == len(targets) > 0
        assert all(0 <= target < n_classes for target in (code, *targets))


def test_superclasses_of_cifar100_part_its_classes_by_fives() -> None:
    rule = BUILT_IN["cifar100"][1]
    assert sorted(rule) == list(range(100))
    groups = {frozenset({code, *others}) for code, others in rule.items()}
    assert len(groups) == 20
    assert {len(group) for group in groups} == {5}


def test_medical_images_of_three_or_more_classes_have_rules_of_their_number() -> None:
    several = {name: len(classes) for name, classes in CLASSES.items() if len(classes) > 2}
    assert several == {name: BUILT_IN[name][0] for name in several}


def by_name(names: tuple[str, ...], rule: dict[int, tuple[int, ...]]) -> dict[str, set[str]]:
    return {names[code]: {names[one] for one in targets} for code, targets in rule.items()}


def test_what_is_said_of_rules_holds() -> None:
    organs = by_name(CLASSES["organamnist"], BUILT_IN["organamnist"][1])
    for organ in ("femur", "kidney", "lung"):
        assert f"{organ}-right" in organs[f"{organ}-left"]
        assert f"{organ}-left" in organs[f"{organ}-right"]
    assert not {"heart", "bladder"} & set(organs)
    assert "platelet" not in by_name(CLASSES["bloodmnist"], BUILT_IN["bloodmnist"][1])
    assert (
        "melanocytic nevus" in by_name(CLASSES["dermamnist"], BUILT_IN["dermamnist"][1])["melanoma"]
    )
    assert "tsu" not in by_name(KANA, BUILT_IN["kmnist"][1])
    grades = BUILT_IN["retinamnist"][1]
    assert all(abs(code - one) == 1 for code, targets in grades.items() for one in targets)
