"""What is promised of perturbed data, for every kind and every form of a user's own data.

Forms: images of bytes, of floats in [0, 1], in [-1, 1] and in a range of their
own, and tables.  The mixture is of all kinds that apply, each on its own samples.
Values are compared bit by bit, so that 0.0 and -0.0 differ.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.data.reading.coerce import coerce
from hcat_nb.perturbations._apply import perturb
from hcat_nb.perturbations.base import Perturbed
from hcat_nb.registry import PERTURBATIONS

N = 103
CLASSES = np.array(["ant", "bee", "cat", "dog", "elk"])
RULES = {"ant": "bee", "bee": "ant", "cat": "dog", "dog": ["cat", "elk"]}
RANGES = {"bytes": (0.0, 255.0), "unit": (0.0, 1.0), "signed": (-1.0, 1.0), "odd": (-2.5, 4.0)}
FORMS = (*RANGES, "table")
KINDS = [name for name in PERTURBATIONS.names() if name != "mixture"]


def modality(form: str) -> str:
    return "table" if form == "table" else "image"


def kinds_of(form: str) -> list[str]:
    return [name for name in KINDS if modality(form) in PERTURBATIONS.get(name).modality]


CASES = [(kind, form) for form in FORMS for kind in (*kinds_of(form), "mixture")]


def own_data(form: str) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(7)
    labels = CLASSES[np.arange(N) % 5]
    if form == "table":
        member = rng.integers(0, 3, N)
        columns = [
            rng.normal(size=N),
            rng.poisson(4, N),
            rng.gamma(2, 10, N).round(2),
            rng.integers(0, 2, N),
            np.full(N, 3.0),
            *(member == code for code in range(3)),
        ]
        return np.column_stack(columns).astype(np.float64), labels
    pixels = rng.integers(0, 256, (N, 3, 10, 10), dtype=np.uint8)
    pixels[:, 0, 0, :2] = 0, 255
    if form == "bytes":
        return pixels, labels
    low, high = RANGES[form]
    images = (low + pixels / 255 * (high - low)).astype(np.float32)
    images[:, 1, 4, 4] = -0.0 if form == "signed" else images[:, 1, 4, 4]
    return images, labels


@cache
def made_of(form: str) -> LabelledDataset:
    return coerce(*own_data(form))


def shares(kind: str, form: str, p: float) -> dict[str, float]:
    """Return each kind's proportion: ``p`` for one alone, a quarter of it in the mixture."""
    return dict.fromkeys(kinds_of(form), p / 4) if kind == "mixture" else {kind: p}


@cache
def made_hard(kind: str, form: str, p: float = 0.33, seed: int = 3) -> Perturbed:
    return hardened(made_of(form), kind, form, p, seed)


def hardened(data: LabelledDataset, kind: str, form: str, p: float, seed: int) -> Perturbed:
    options = {"instance": {"rule_matrix": RULES}}
    parts = {
        name: {"p": share, **options.get(name, {})} for name, share in shares(kind, form, p).items()
    }
    if kind == "mixture":
        return perturb(data, parts, seed=seed)
    return perturb(data, kind, seed=seed, **parts[kind])


def bits(values: torch.Tensor) -> np.ndarray:
    flat = values.numpy().reshape(len(values), -1)
    return flat.view(np.int32) if flat.dtype == np.float32 else flat


def differs(before: torch.Tensor, after: torch.Tensor) -> np.ndarray:
    return (bits(before) != bits(after)).any(axis=1)


@pytest.mark.parametrize("form", RANGES)
def test_the_forms_are_what_they_are_called(form):
    data = made_of(form)
    assert data.value_range == RANGES[form]
    assert data.features.dtype == (torch.uint8 if form == "bytes" else torch.float32)


@pytest.mark.parametrize(("kind", "form"), CASES)
@pytest.mark.parametrize("p", [0.1, 0.33])
def test_count_truth_and_what_stays_as_it_was(kind, form, p):
    data, result = made_of(form), made_hard(kind, form, p)
    truth, after = result.truth, result.dataset
    wanted = {name: int(np.floor(share * N + 0.5)) for name, share in shares(kind, form, p).items()}
    hard = truth.is_hard.to_numpy()
    assert truth.hardness[hard].value_counts().to_dict() == wanted
    assert (truth.hardness[~hard] == "none").all()
    relabelled, redrawn = data.labels != after.labels, differs(data.features, after.features)
    assert ((relabelled.numpy() | redrawn) == hard).all()

    family = {name: PERTURBATIONS.get(name).family for name in wanted} | {"none": "none"}
    assert truth.family.tolist() == [family[name] for name in truth.hardness]
    assert (relabelled.numpy() == (truth.family == "mislabel")).all()
    assert (redrawn == ~truth.family.isin(["none", "mislabel"])).all()
    assert truth.index.equals(data.sample_ids)
    assert truth.original_label.tolist() == own_data(form)[1].tolist()
    assert truth.observed_label.tolist() == [after.class_values[code] for code in after.labels]
    assert truth.strength[~hard].isna().all()


@pytest.mark.parametrize(("kind", "form"), CASES)
def test_the_form_is_kept(kind, form):
    data, after = made_of(form), made_hard(kind, form).dataset
    assert after.features.dtype == data.features.dtype
    assert after.features.shape == data.features.shape
    assert after.value_range == data.value_range
    assert after.class_values == data.class_values
    assert after.sample_ids.equals(data.sample_ids)
    assert after.features.isfinite().all()
    if form != "table":
        assert after.features.min() >= RANGES[form][0]
        assert after.features.max() <= RANGES[form][1]


@pytest.mark.parametrize(("kind", "form"), CASES)
def test_the_seed_decides(kind, form):
    data = made_of(form)
    first = made_hard(kind, form)
    again, other = (hardened(data, kind, form, 0.33, seed) for seed in (3, 4))
    assert first.truth.equals(again.truth)
    assert not differs(first.dataset.features, again.dataset.features).any()
    assert torch.equal(first.dataset.labels, again.dataset.labels)
    assert not first.truth.is_hard.equals(other.truth.is_hard)


@pytest.mark.parametrize(("kind", "form"), CASES)
def test_the_users_data_stay_as_they_were(kind, form):
    features, labels = own_data(form)
    given, named = features.copy(), labels.copy()
    data = coerce(given, named)
    before = data.features.clone()
    hardened(data, kind, form, 0.1, seed=5)
    assert given.tobytes() == features.tobytes()
    assert named.tolist() == labels.tolist()
    assert not differs(data.features, before).any()
    assert [data.class_values[code] for code in data.labels] == labels.tolist()
