"""The rules that hold for every kind of hardness, by registry name."""

from __future__ import annotations

import dataclasses
import math
import re

import numpy as np
import pandas as pd
import pytest
import torch

from hcat_nb.data.dataset import NO_LABEL, LabelledDataset
from hcat_nb.errors import DataError, SpecError
from hcat_nb.perturbations._apply import perturb
from hcat_nb.perturbations.base import TRUTH_COLUMNS
from hcat_nb.registry import PERTURBATIONS

# A mixture has its own p: test_perturbed_data.py and tests/perturbations/test_mixture.py hold it
# to the same rules.
NAMES = [name for name in PERTURBATIONS.names() if name != "mixture"]
MODALITIES = [
    (name, modality) for name in NAMES for modality in sorted(PERTURBATIONS.get(name).modality)
]


def make(n: int, modality: str = "image", *, spoil: bool = False) -> LabelledDataset:
    """Return ten classes under a name that has instance rules; ids are text."""
    generator = torch.Generator().manual_seed(n)
    labels = torch.arange(n) % 10
    unreadable = torch.zeros(n, dtype=torch.bool)
    if spoil:
        labels[::7] = NO_LABEL
        unreadable[3::11] = True
    if modality == "image":
        features = torch.randint(0, 256, (n, 1, 8, 8), generator=generator, dtype=torch.uint8)
        value_range = (0.0, 255.0)
    else:
        features = torch.randn(n, 5, generator=generator)
        value_range = None
    return LabelledDataset(
        "digits",
        features,
        labels,
        tuple(range(10)),
        pd.Index([f"s{i}" for i in range(n)]),
        value_range=value_range,
        unreadable=unreadable if spoil else None,
    )


def changed_rows(before: LabelledDataset, after: LabelledDataset) -> np.ndarray:
    labels = before.labels.numpy() != after.labels.numpy()
    features = before.features.numpy() != after.features.numpy()
    return labels | features.reshape(len(before), -1).any(axis=1)


def test_there_are_kinds_of_hardness():
    by_family: dict[str, set[str]] = {}
    for name in PERTURBATIONS.names():
        by_family.setdefault(PERTURBATIONS.get(name).family, set()).add(name)
    assert by_family == {
        "mislabel": {"uniform", "asymmetric", "adjacent", "instance"},
        "covariate": {"id_covariate"},
        "near_ood": {"ood_covariate", "domain_shift"},
        "far_ood": {"far_ood"},
        "atypical": {"zoom_shift", "crop_shift", "atypical"},
        "mixed": {"mixture"},
    }
    table_only = {name for name, modality in MODALITIES if modality == "table"}
    image_only = {name for name, modality in MODALITIES if modality == "image"}
    assert image_only - table_only == {"domain_shift", "zoom_shift", "crop_shift"}
    assert table_only - image_only == {"atypical"}


@pytest.mark.parametrize(("name", "modality"), MODALITIES)
@pytest.mark.parametrize("n", [40, 101, 250])
@pytest.mark.parametrize("p", [0.05, 0.1, 0.25, 0.33, 0.5])
def test_exact_count_truly_changed_and_truth_says_so(name, modality, n, p):
    data = make(n, modality)
    result = perturb(data, name, p, seed=3)
    truth, changed = result.truth, changed_rows(data, result.dataset)
    assert changed.sum() == math.floor(p * n + 0.5)
    assert list(truth.columns) == list(TRUTH_COLUMNS)
    assert truth.index.name == "sample_id"
    assert truth.index.tolist() == data.sample_ids.tolist()
    assert truth.is_hard.dtype == bool
    assert truth.is_hard.to_numpy().tolist() == changed.tolist()
    assert truth.hardness.tolist() == [name if flag else "none" for flag in changed]
    family = PERTURBATIONS.get(name).family
    assert truth.family.tolist() == [family if flag else "none" for flag in changed]
    assert truth.strength[~changed].isna().all()
    assert truth.original_label.tolist() == data.labels.tolist()
    assert truth.observed_label.tolist() == result.dataset.labels.tolist()


@pytest.mark.parametrize(("name", "modality"), MODALITIES)
def test_input_untouched_ids_and_form_kept(name, modality):
    data = make(101, modality, spoil=True)
    labels, features = data.labels.clone(), data.features.clone()
    after = perturb(data, name, 0.3, seed=1).dataset
    assert torch.equal(data.labels, labels)
    assert torch.equal(data.features, features)
    assert after.sample_ids.equals(data.sample_ids)
    assert after.features.dtype == data.features.dtype
    assert after.features.shape == data.features.shape
    assert after.class_values == data.class_values


@pytest.mark.parametrize(("name", "modality"), MODALITIES)
def test_labels_change_or_features_never_both(name, modality):
    data = make(101, modality)
    after = perturb(data, name, 0.3, seed=1).dataset
    relabelled = not torch.equal(after.labels, data.labels)
    redrawn = not torch.equal(after.features, data.features)
    assert relabelled == (PERTURBATIONS.get(name).family == "mislabel")
    assert redrawn != relabelled


@pytest.mark.parametrize(("name", "modality"), MODALITIES)
def test_which_samples_are_hard_depends_on_the_seed_and_not_on_the_strength(name, modality):
    plugin = PERTURBATIONS.get(name)
    options = {item.name for item in dataclasses.fields(plugin)}
    if "strength" not in options:
        pytest.skip("has no strength")
    data = make(101, modality)
    low, high = {"zoom_shift": (1.5, 2.0), "atypical": (0.02, 0.02)}.get(name, (0.2, 0.3))
    first, second = (perturb(data, name, 0.2, seed=1, strength=value) for value in (low, high))
    assert first.truth.is_hard.equals(second.truth.is_hard)
    several = perturb(data, name, 0.4, seed=1, strength=[low, high]).truth
    assert set(several.strength.dropna()) == {low, high}
    assert several.strength.notna().equals(several.is_hard)


@pytest.mark.parametrize(("name", "modality"), MODALITIES)
def test_same_seed_same_result_other_seed_other_result(name, modality):
    data = make(250, modality)
    first, again, other = (perturb(data, name, 0.2, seed=seed) for seed in (5, 5, 6))
    pd.testing.assert_frame_equal(first.truth, again.truth)
    assert torch.equal(first.dataset.labels, again.dataset.labels)
    assert torch.equal(first.dataset.features, again.dataset.features)
    assert not first.truth.is_hard.equals(other.truth.is_hard)


@pytest.mark.parametrize("name", NAMES)
def test_global_random_state_is_neither_read_nor_moved(name):
    modality = sorted(PERTURBATIONS.get(name).modality)[0]
    data = make(101, modality)
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002 - the global state is the subject
    state = torch.get_rng_state(), np.random.get_state()[1].tolist()  # noqa: NPY002
    first = perturb(data, name, 0.2, seed=5)
    assert torch.equal(torch.get_rng_state(), state[0])
    assert np.random.get_state()[1].tolist() == state[1]  # noqa: NPY002
    torch.manual_seed(2)
    np.random.seed(2)  # noqa: NPY002
    pd.testing.assert_frame_equal(first.truth, perturb(data, name, 0.2, seed=5).truth)


@pytest.mark.parametrize("name", NAMES)
def test_rows_without_label_or_features_are_never_chosen(name):
    modality = sorted(PERTURBATIONS.get(name).modality)[0]
    data = make(203, modality, spoil=True)
    usable = (data.labels >= 0).numpy() & ~data.unreadable.numpy()
    for seed in range(5):
        truth = perturb(data, name, 0.5, seed=seed).truth
        assert not truth.is_hard.to_numpy()[~usable].any()
        assert truth.is_hard.sum() == math.floor(0.5 * usable.sum() + 0.5)
        assert truth.original_label.isna().tolist() == (data.labels < 0).tolist()


@pytest.mark.parametrize("name", NAMES)
def test_p_zero_is_no_perturbation(name):
    modality = sorted(PERTURBATIONS.get(name).modality)[0]
    data = make(40, modality)
    result = perturb(data, name, 0)
    assert result.dataset is data
    assert not result.truth.is_hard.any()
    assert set(result.truth.hardness) == {"none"}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("p", [-0.1, 1.0, 1.5, float("nan"), "0.1", None])
def test_p_outside_its_range(name, p):
    modality = sorted(PERTURBATIONS.get(name).modality)[0]
    with pytest.raises(SpecError, match=r"p is .*expected a proportion in \[0, 1\)"):
        perturb(make(40, modality), name, p)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", [-1, 0.5, None, "0"])
def test_seed_that_is_no_seed(name, seed):
    modality = sorted(PERTURBATIONS.get(name).modality)[0]
    with pytest.raises(SpecError, match="seed is"):
        perturb(make(40, modality), name, 0.1, seed=seed)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n", [40, 101, 250])
@pytest.mark.parametrize("p", [1e-4, 0.999])
def test_p_of_no_or_all_samples_names_the_least_and_largest_that_work(name, n, p):
    modality = sorted(PERTURBATIONS.get(name).modality)[0]
    data = make(n, modality)
    with pytest.raises(SpecError, match="of " + str(n)) as caught:
        perturb(data, name, p)
    least, largest = map(
        float, re.search(r"p from ([\d.e-]+) \(1 sample\) to ([\d.]+)", str(caught.value)).groups()
    )
    most = int(re.search(r"\((\d+) samples\)", str(caught.value)).group(1))
    assert perturb(data, name, least).truth.is_hard.sum() == 1
    assert perturb(data, name, largest).truth.is_hard.sum() == most
    with pytest.raises(SpecError):
        perturb(data, name, least * 0.99)  # the named p is rounded up by less than one percent
    with pytest.raises(SpecError):
        perturb(data, name, min(largest + 0.5 / n, 0.9999))


@pytest.mark.parametrize("name", NAMES)
def test_wrong_modality(name):
    missing = {"image", "table"} - PERTURBATIONS.get(name).modality
    if not missing:
        pytest.skip("applies to all data")
    with pytest.raises(DataError, match=f"{name!r} does not apply to"):
        perturb(make(40, missing.pop()), name, 0.1)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("values", [tuple("abcdefghij"), tuple(i / 2 for i in range(10))])
def test_truth_speaks_the_users_own_class_values(name, values):
    modality = sorted(PERTURBATIONS.get(name).modality)[0]
    data = make(101, modality).replace(class_values=values)
    result = perturb(data, name, 0.2)
    assert result.truth.original_label.tolist() == [values[code] for code in data.labels.tolist()]
    assert result.truth.observed_label.tolist() == [
        values[code] for code in result.dataset.labels.tolist()
    ]
