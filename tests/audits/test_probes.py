"""Planted faults: how many, where, and that everything else stays as it was."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import hcat_nb as hcat
from hcat_nb.audits.probes import CAUSES, LEAST, copies_needed, offered, plant, plausible
from hcat_nb.errors import HcatError


@pytest.fixture(scope="module", params=["digits", "table"])
def dataset(request):
    if request.param == "digits":
        return hcat.load("digits")
    rng = np.random.default_rng(0)
    return hcat.load(rng.normal(size=(3200, 6)), rng.integers(0, 3, 3200), name="table")


def sure(dataset, agree: float = 0.9) -> np.ndarray:
    n, k = len(dataset), dataset.n_classes
    p = np.full((n, k), (1 - agree) / (k - 1))
    p[np.arange(n), dataset.labels.numpy()] = agree
    return p


def test_every_cause_is_planted_apart_and_the_rest_is_untouched(dataset):
    kinds, note = offered(dataset, features_fixed=False)
    assert kinds == list(CAUSES)
    assert note == ""
    made = plant(dataset, sure(dataset), kinds, seed=0)
    counts = np.bincount(made.causes[made.causes >= 0])
    assert counts[0] == max(100, int(0.05 * len(dataset)))
    assert (counts >= LEAST).all()
    wrong = (made.dataset.labels != dataset.labels).numpy()
    assert np.array_equal(wrong, made.causes == 0)
    moved = (made.dataset.features != dataset.features).flatten(1).any(1).numpy()
    assert np.array_equal(moved, made.causes > 0)
    assert made.dataset.sample_ids.equals(dataset.sample_ids)
    own = made.parents == np.arange(len(dataset))
    assert np.array_equal(~own, np.isin(made.causes, [3, 4]))
    parents = made.parents[~own]
    assert (dataset.labels[parents] != dataset.labels[~own]).all()


def test_the_seed_decides(dataset):
    kinds, _ = offered(dataset, features_fixed=False)
    one, same, other = (plant(dataset, sure(dataset), kinds, seed) for seed in (0, 0, 1))
    assert torch.equal(one.dataset.features, same.dataset.features)
    assert np.array_equal(one.causes, same.causes)
    assert not np.array_equal(one.causes, other.causes)


def test_wrong_labels_are_drawn_as_they_are_plausible():
    """Chi-square of 4,000 draws, 2 degrees of freedom: 13.8 is passed once in a thousand."""
    odds = np.array([0.7, 0.2, 0.07, 0.03])
    p, labels = np.tile(odds, (40_000, 1)), np.zeros(40_000, dtype=int)
    rows, codes = plausible(p, labels, 4000, np.random.default_rng(0))
    assert len(set(rows)) == 4000
    expected = 4000 * odds[1:] / odds[1:].sum()
    seen = np.bincount(codes, minlength=4)[1:]
    assert ((seen - expected) ** 2 / expected).sum() < 13.8


def test_rows_that_the_network_doubts_or_does_not_know_are_left_alone():
    p = np.array([[0.9, 0.1], [0.1, 0.9], [np.nan, np.nan], [0.8, 0.2], [0.7, 0.3]])
    rows, codes = plausible(p, np.array([0, 0, 0, -1, 0]), 2, np.random.default_rng(0))
    assert sorted(rows) == [0, 4]
    assert codes.tolist() == [1, 1]
    with pytest.raises(HcatError, match="agrees with 2 labels, too few to plant 3"):
        plausible(p, np.array([0, 0, 0, -1, 0]), 3, np.random.default_rng(0))


def test_what_cannot_be_planted_is_not_offered_and_why():
    small = hcat.load("wine").take(torch.arange(30, 130))
    kinds, note = offered(small, features_fixed=False)
    assert kinds == [CAUSES[0]]
    assert "too few rows" in note
    assert offered(hcat.load("digits"), features_fixed=True)[0] == [CAUSES[0]]
    texts = hcat.load([f"word{i % 7} and word{i % 5}" for i in range(2000)], np.arange(2000) % 5)
    kinds, note = offered(texts, features_fixed=False)
    assert "off" not in kinds
    assert "off (not for such data)" in note


def test_copies_make_up_for_few_rows():
    assert [copies_needed(n) for n in (5000, 1000, 400, 100)] == [1, 1, 3, 6]


def test_one_hot_blocks_and_levels_stay_whole():
    import pandas as pd

    rng = np.random.default_rng(0)
    table = pd.DataFrame({"size": rng.integers(0, 50, 4000), "kind": rng.choice(list("abc"), 4000)})
    data = hcat.load(table.assign(y=rng.integers(0, 2, 4000)), target="y")
    kinds, _ = offered(data, features_fixed=False)
    made = plant(data, sure(data), kinds, seed=0).dataset  # the dataset refuses codes of no level
    assert (made.features[:, 0] == made.features[:, 0].round()).all()  # counts stay counts
