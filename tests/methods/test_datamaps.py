"""Data maps against the definition in plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from hcat_nb.errors import SpecError
from hcat_nb.methods._groups import named
from hcat_nb.methods.datamaps import DataMaps, datamaps_groups


def groups_of(confidence, uncertainty, **options):
    return named(datamaps_groups(confidence, uncertainty, **options))


def test_equals_one_minus_mean_probability(run, feed, softmax):
    labels, logits = run
    p = softmax(logits)[:, np.arange(len(labels)), labels]
    scores = feed(DataMaps(), labels, logits).scores().scores
    # p of one epoch is float32: 1e-7 of 1.
    np.testing.assert_allclose(scores, 1 - p.mean(0), rtol=0, atol=5e-7)


def test_the_hard_group_is_that_of_the_paper_and_a_third_of_any_data_is_no_flag(run, feed, softmax):
    labels, logits = run
    p = softmax(logits)[:, np.arange(len(labels)), labels]
    confidence, variability = p.mean(0), p.std(0)
    calm = np.argsort(variability)[:133]  # two thirds of 200
    expected = np.zeros(len(labels), dtype=bool)
    expected[calm[np.argsort(confidence[calm])[: len(calm) // 2]]] = True
    assert (groups_of(confidence, variability) == "hard").tolist() == expected.tolist()
    assert feed(DataMaps(), labels, logits).flagged() is None
    hcat = feed(DataMaps(variant="hcat"), labels, logits).flagged().numpy()
    assert hcat.tolist() == ((confidence <= 0.2) & (variability <= 0.15)).tolist()


def test_shares_of_the_groups():
    rng = np.random.default_rng(0)
    confidence, variability = rng.random(90), rng.random(90)
    groups = groups_of(confidence, variability)
    assert [np.sum(groups == g) for g in ("easy", "ambiguous", "hard")] == [30, 30, 30]
    assert variability[groups == "ambiguous"].min() > variability[groups != "ambiguous"].max()
    assert confidence[groups == "easy"].min() > confidence[groups == "hard"].max()
    groups = groups_of(confidence, variability, ambiguous=0.1, hard=1 / 3)
    assert [np.sum(groups == g) for g in ("easy", "ambiguous", "hard")] == [54, 9, 27]


def test_groups_follow_the_samples_not_their_order():
    rng = np.random.default_rng(1)
    confidence, variability = rng.integers(0, 5, (2, 100)) / 10  # many ties
    order = rng.permutation(100)
    groups = groups_of(confidence, variability)
    assert (groups_of(confidence[order], variability[order]) == groups[order]).all()


def test_first_epoch_has_no_variability_and_samples_without_place_no_group():
    confidence = np.array([0.9, 0.1, np.nan, 0.8, 0.2], dtype=np.float32)
    variability = np.array([0, 0, 0, 0, np.nan], dtype=np.float32)
    assert groups_of(confidence, variability).tolist() == ["easy", "hard", "", "easy", ""]
    assert groups_of(np.full(3, np.nan), np.full(3, np.nan)).tolist() == [""] * 3


@pytest.mark.parametrize("share", [{"ambiguous": 1.2}, {"hard": -0.1}, {"hard": float("nan")}])
def test_share_out_of_range(share):
    with pytest.raises(SpecError, match=r"expected a share in \[0, 1\]"):
        groups_of(np.zeros(2), np.zeros(2), **share)
