"""load: names, options, subsets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from hcat_nb.data.loading import load
from hcat_nb.errors import DataError, SpecError, UnknownNameError
from hcat_nb.registry import SOURCES
from hcat_nb.seeds import child_seed
from hcat_nb.spec import RunSpec


def _own(n: int = 50, **options: object) -> object:
    return load(np.arange(n * 2.0).reshape(n, 2), np.arange(n) % 2, **options)


def test_all_named_datasets_of_this_version_are_known() -> None:
    expected = {"digits", "breast_cancer", "wine", "mnist", "fashion_mnist", "cifar10"}
    assert expected <= set(SOURCES.names())
    assert RunSpec().dataset == "digits"


def test_a_dataset_is_loaded_by_name_or_by_an_alias() -> None:
    assert load("wine").name == "wine"
    assert load(" Wine ").name == "wine"
    assert load("wine", name="bottles").name == "bottles"


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="nearest: digits"):
        load("digit")


def test_a_dataset_is_returned_as_it_is() -> None:
    dataset = load("wine")
    assert load(dataset) is dataset
    assert load(dataset, subset=len(dataset)) is dataset


@pytest.mark.parametrize("option", ["labels", "target", "classes"])
def test_a_dataset_with_labels_takes_no_others(option: str) -> None:
    for data in ("wine", load("wine")):
        with pytest.raises(DataError, match=f"{option} was given with .*'wine'"):
            load(data, **{option: [0, 1]})


def test_a_subset_is_drawn_by_its_own_stream_in_the_old_order() -> None:
    whole, part = _own(), _own(subset=10, seed=3)
    rng = np.random.default_rng(child_seed(3, "subset"))
    rows = np.sort(rng.choice(50, size=10, replace=False))
    assert list(part.sample_ids) == rows.tolist()
    assert torch.equal(part.features, whole.features[torch.from_numpy(rows)])
    assert part.notes[-1] == "10 of 50 samples, drawn at random (seed 3)"
    assert list(_own(subset=10, seed=4).sample_ids) != rows.tolist()


@pytest.mark.parametrize("subset", [51, 1, -5, 2.5, "4"])
def test_a_subset_of_another_size_is_refused(subset: object) -> None:
    with pytest.raises(
        DataError, match=f"subset is {subset!r}; expected a whole number from 2 to the 50 samples"
    ):
        _own(subset=subset)


def test_a_subset_of_one_class_is_refused() -> None:
    labels = np.zeros(1000, dtype=int)
    labels[0] = 1
    with pytest.raises(DataError, match="nothing to learn: 1 class"):
        load(np.zeros((1000, 1)), labels, subset=2, seed=0)


def test_policies_are_checked_for_names_too() -> None:
    with pytest.raises(SpecError, match="on_bad_row"):
        load("wine", on_bad_row="ignore")


def test_the_notebooks_random_state_stays() -> None:
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002 -- the global state is what is looked at
    expected = torch.rand(1), np.random.rand()  # noqa: NPY002
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002
    _own(subset=10)
    assert (torch.rand(1), np.random.rand()) == expected  # noqa: NPY002


def test_the_real_mnist_loads_by_name_and_is_not_written_to(shared_data: Path) -> None:
    def listing() -> list[tuple[str, int, int]]:
        files = sorted((shared_data / "MNIST").rglob("*"))
        return [(str(f), f.stat().st_size, f.stat().st_mtime_ns) for f in files]

    before = listing()
    dataset = load("mnist", root=shared_data, download=False)
    assert listing() == before
    assert tuple(dataset.features.shape) == (60_000, 1, 28, 28)
    # published counts of the training set's digits (README of the data)
    counts = dataset.class_counts.tolist()
    assert (min(counts), max(counts), sum(counts)) == (5421, 6742, 60_000)
