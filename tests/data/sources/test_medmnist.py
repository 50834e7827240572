"""MedMNIST: the real pneumonia file, and small ones in the same layout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hcat_nb.data.loading import load
from hcat_nb.data.sources.medmnist import CLASSES, FINDINGS
from hcat_nb.errors import DataError, MissingDataError, SpecError, UnknownNameError
from hcat_nb.perturbations._apply import perturb

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


def write(path: Path, shape: tuple[int, ...], labels: np.ndarray, **more: np.ndarray) -> Path:
    rng = np.random.default_rng(0)
    arrays = {
        f"{split}_{kind}": value
        for split in ("train", "val", "test")
        for kind, value in (
            ("images", rng.integers(0, 256, (len(labels), *shape), dtype=np.uint8)),
            ("labels", labels),
        )
    }
    np.savez_compressed(path, **{**arrays, **more})
    return path


def test_pneumoniamnist_is_the_documented_one(shared_data: Path) -> None:
    path = shared_data / "medical" / "pneumoniamnist.npz"
    counts = {"train": [1214, 3494], "val": [135, 389], "test": [234, 390]}
    for split, expected in counts.items():
        dataset = load("medmnist", path=str(path), split=split)
        assert dataset.class_counts.tolist() == expected
    dataset = load("medmnist", which="pneumoniamnist", root=path.parent)
    assert dataset.name == "pneumoniamnist"
    assert dataset.class_values == ("normal", "pneumonia")
    assert not dataset.flip_keeps_label  # hearts are on the left
    arrays = np.load(path)
    assert np.array_equal(dataset.features[:, 0].numpy(), arrays["train_images"])
    assert dataset.labels.tolist() == arrays["train_labels"].ravel().tolist()
    noisy = perturb(dataset, "instance", p=0.1, seed=0)
    assert int((noisy.dataset.labels != dataset.labels).sum()) == 471


def test_colours_and_larger_sizes(tmp_path: Path) -> None:
    labels = np.arange(9).repeat(2)[:, None].astype(np.uint8)
    path = write(tmp_path / "pathmnist_64.npz", (6, 5, 3), labels)
    dataset = load("medmnist", path=str(path))
    assert dataset.sample_shape == (3, 6, 5)
    assert dataset.name == "pathmnist"
    assert dataset.class_names[7] == "cancer-associated stroma"
    pixels = np.load(path)["train_images"]
    assert np.array_equal(dataset.features.permute(0, 2, 3, 1).numpy(), pixels)


def test_a_file_of_another_name_has_codes_for_classes(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.npz", (5, 5), np.array([[0], [2], [1]]))
    assert load("medmnist", path=str(path)).class_values == (0, 1, 2)


def test_of_several_findings_one_is_the_label(tmp_path: Path) -> None:
    labels = np.random.default_rng(1).integers(0, 2, (8, 14)).astype(np.uint8)
    labels[:2, 1] = (0, 1)
    path = str(write(tmp_path / "chestmnist.npz", (5, 5), labels))
    with pytest.raises(DataError, match=r"14 labels at once.*finding=.*cardiomegaly.*hernia"):
        load("medmnist", path=path)
    dataset = load("medmnist", path=path, finding="cardiomegaly")
    assert dataset.labels.tolist() == labels[:, 1].tolist()
    assert dataset.class_values == ("no cardiomegaly", "cardiomegaly")
    with pytest.raises(UnknownNameError, match="nearest: hernia"):
        load("medmnist", path=path, finding="hernai")


def test_files_are_looked_for_where_the_package_puts_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HCAT_DATA", str(tmp_path / "data"))
    with pytest.raises(MissingDataError, match=r"data.breastmnist.npz or .*\.medmnist.*path="):
        load("medmnist", which="breastmnist")
    (tmp_path / ".medmnist").mkdir()
    write(tmp_path / ".medmnist" / "breastmnist.npz", (5, 5), np.array([[0], [1]]))
    assert load("medmnist", which="breastmnist").class_values[0] == "malignant"


@pytest.mark.parametrize(
    ("shape", "labels", "options", "message"),
    [
        ((5, 5, 5), [[0], [1]], {}, r"shape \(5, 5, 5\).*volumes"),
        ((5, 5), [[0], [2]], {}, "labels 0 to 2; expected 0 to 1"),
        ((5, 5), [[0], [1]], {"finding": "hernia"}, "which has one label"),
    ],
)
def test_contents_of_another_kind_are_refused(
    tmp_path: Path, shape: tuple[int, ...], labels: Any, options: dict[str, str], message: str
) -> None:
    path = write(tmp_path / "breastmnist.npz", shape, np.array(labels))
    with pytest.raises(DataError, match=message):
        load("medmnist", path=str(path), **options)  # type: ignore[arg-type]


def test_damaged_files_and_missing_options_are_told(tmp_path: Path) -> None:
    broken = write(tmp_path / "breastmnist.npz", (5, 5), np.array([[0], [1]]))
    broken.write_bytes(broken.read_bytes()[:-40])
    with pytest.raises(DataError, match=r"breastmnist.npz cannot be read .*train_images"):
        load("medmnist", path=str(broken))
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    with pytest.raises(DataError, match=r"other.npz cannot be read .*train_images"):
        load("medmnist", path=str(tmp_path / "other.npz"))
    uneven = write(
        tmp_path / "uneven.npz", (5, 5), np.array([[0], [1]]), train_labels=np.zeros((3, 1), int)
    )
    with pytest.raises(DataError, match="2 images, but 3 labels"):
        load("medmnist", path=str(uneven))
    with pytest.raises(SpecError, match=r"not told which.*pneumoniamnist"):
        load("medmnist")
    with pytest.raises(SpecError, match="split is 'all'"):
        load("medmnist", which="breastmnist", split="all")


def test_every_dataset_has_its_number_of_different_classes() -> None:
    assert {name: len(set(classes)) for name, classes in CLASSES.items()} == PUBLISHED
    assert len(set(FINDINGS)) == 14
