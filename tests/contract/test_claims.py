"""Claims of cards by kind of data: what belongs to no class, planted into real data (A70).

The other tests plant faults into a simulated training, which knows no kinds.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch

from hcat_nb.api.characterize import characterize
from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.data.loading import load
from hcat_nb.methods._card import KINDS
from hcat_nb.registry import METHODS

CLAIMED = [
    (kind, name)
    for kind in KINDS
    for name in METHODS.known()
    if "ood" in METHODS.get(name).claims(kind)
]
SIZES = (-6, -4, -2, 3, 5, 7, 9)  # as many times their values
LETTERS = np.array(list("abcdefghijklmnop"))


def some(n: int, seed: int) -> np.ndarray:
    chosen = np.zeros(n, dtype=bool)
    chosen[np.random.default_rng(seed).choice(n, max(3, round(0.05 * n)), replace=False)] = True
    return chosen


def tables(seed: int) -> tuple[LabelledDataset, np.ndarray]:
    """Rows off by several sizes."""
    data = load(("breast_cancer", "wine")[seed % 2])
    hard, features = some(len(data), seed), data.features.clone()
    sizes = np.random.default_rng(seed).choice(SIZES, hard.sum())
    features[hard] *= torch.tensor(sizes, dtype=torch.float32)[:, None]
    return data.replace(features=features), hard


def images(seed: int) -> tuple[LabelledDataset, np.ndarray]:
    """Pictures of noise, and negatives."""
    data = load("digits", subset=600, seed=seed)
    hard, features = some(len(data), seed), data.features.clone()
    assert data.value_range is not None
    low, high = data.value_range
    if seed % 2:
        features[hard] = (high - features[hard].float() + low).to(features.dtype)
    else:
        noise = np.random.default_rng(seed).uniform(low, high, features[hard].shape)
        features[hard] = torch.from_numpy(noise).to(features.dtype)
    return data.replace(features=features), hard


def texts(seed: int) -> tuple[LabelledDataset, np.ndarray]:
    """Texts in words of another language than all classes."""
    rng = np.random.default_rng(seed)
    words = ["".join(rng.choice(LETTERS, 5)) for _ in range(150)]
    labels = np.arange(300) % 3
    hard = some(300, seed)
    start = np.where(hard, 90, 30 * labels)  # each class has 30 words, the others 60
    width = np.where(hard, 60, 30)
    made = [
        " ".join(words[place] for place in first + rng.integers(0, among, 8))
        for first, among in zip(start, width, strict=True)
    ]
    return load(made, labels), hard


@cache
def found(kind: str) -> dict[str, float]:
    """Return the mean AUROC of each method over four planted data sets."""
    plant = {"table": tables, "image": images, "text": texts}[kind]
    areas: dict[str, list[float]] = {}
    names = [name for name in METHODS.known() if (kind, name) in CLAIMED]
    for seed in range(4):
        data, hard = plant(seed)
        run = characterize(data, methods=names, epochs=10, seed=seed, judges=False, device="cpu")
        for name in names:
            score = run.scores[name].to_numpy()
            wins = score[hard][:, None] - score[~hard][None]
            areas.setdefault(name, []).append(float(((wins > 0) + 0.5 * (wins == 0)).mean()))
    return {name: float(np.mean(values)) for name, values in areas.items()}


@pytest.mark.parametrize(("kind", "name"), CLAIMED)
def test_what_belongs_to_no_class_ranks_high_where_the_card_says_so(kind, name):
    # Chance is .5 with a standard error of .05 over four sets of 30 faults and less.
    assert found(kind)[name] > 0.7


def test_some_card_makes_each_claim_and_none_what_the_data_refuted():
    assert {name for kind, name in CLAIMED if kind == "table"} == {"grand", "knn_ood"}
    images = {name for kind, name in CLAIMED if kind == "image"}
    assert images == {"conf_agree", "prototypicality", "knn_ood"}
