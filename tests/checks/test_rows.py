from __future__ import annotations

import numpy as np
import pandas as pd

from hcat_nb.checks.finding import LOOK, NOTE, SEVERE
from hcat_nb.checks.profile import profiles
from hcat_nb.checks.rows import (
    near_findings,
    overlap_findings,
    row_groups,
    shared_images,
    twin_findings,
)
from hcat_nb.data.loading import load

IDS = pd.Index([f"s{i}" for i in range(100)])


def test_rows_are_equal_in_all_columns_missing_values_included() -> None:
    frame = pd.DataFrame({"a": [1, 1, None, None, 2], "b": ["x", "y", "x", "x", "x"]})
    keys = row_groups(profiles(frame), 5)
    assert keys[2] == keys[3]
    assert len(set(keys.tolist())) == 4


def test_contradicting_labels_come_first_with_what_no_model_can_get_right() -> None:
    keys = np.arange(100)
    keys[[10, 20, 30]] = 5
    keys[40] = 41
    labels = np.zeros(100, dtype=np.int64)
    labels[[20, 40, 41]] = [1, -1, 1]
    clash, twins = twin_findings(keys, labels, ["oak", "elm"], IDS, exact=True)
    assert (clash.kind, clash.severity) == ("conflict", SEVERE)
    assert clash.evidence.startswith("4 equal samples have contradicting labels, in 1 group:")
    assert "'s5' 'oak' and 's20' 'elm'" in clash.evidence
    assert "right on 1 of them" in clash.price
    assert twins.evidence.startswith("6 samples are equal to another, in 2 groups")


def test_in_a_coarse_table_twins_are_chance() -> None:
    keys, labels = np.arange(100) % 10, np.arange(100) % 3
    found = twin_findings(keys, labels, "abc", IDS, exact=False)
    assert [one.severity for one in found] == [NOTE, NOTE]
    assert twin_findings(np.arange(100), labels, "abc", IDS, exact=False) == []


def test_the_remedy_leaves_out_what_hides_twins() -> None:
    keys = np.arange(100)
    keys[3] = 4
    found = twin_findings(keys, keys * 0, "a", IDS, exact=False, apart=["id"])
    assert "hcat.load(..., drop=['id'])" in found[0].remedy
    assert found[0].severity == LOOK


def test_a_test_set_in_the_training_set_is_counted() -> None:
    train, test = np.arange(100), np.arange(98, 198)
    (found,) = overlap_findings(train, test, IDS, exact=False)
    assert found.severity == SEVERE
    assert "2 of 100 samples" in found.evidence
    assert "0.020" in found.price
    assert overlap_findings(train, test + 2, IDS, exact=True) == []


def test_nearly_equal_images_are_told_with_their_labels_and_none_of_digits_is() -> None:
    """Noise, another brightness and JPEG's losses make copies; another digit is none."""
    digits = load("digits")
    assert near_findings(digits) == []
    twins = load(np.repeat(digits.features.numpy()[:1], 9, axis=0), np.arange(9) % 3)
    assert near_findings(twins) == []  # all equal: no distance to measure others by
    rng = np.random.default_rng(0)
    x, y = digits.features.numpy().copy(), digits.labels.numpy().copy()
    x[1000] = x[10] * 0.8 + 1.0
    x[1001] = np.clip(x[11] + rng.normal(0, 0.1, x[11].shape), 0, 16)
    x[1002] = x[12]  # an exact copy is no near one
    y[[1000, 1001, 1002]] = [y[10], (y[11] + 1) % 10, y[12]]
    (found,) = near_findings(load(x, y))
    assert (found.kind, found.severity) == ("near duplicate", LOOK)
    assert found.evidence.startswith("4 images are nearly equal to another")
    assert "2 under another label" in found.evidence
    assert "10 and 1000" in found.evidence


def test_nearly_equal_images_of_a_test_set_are_told() -> None:
    digits = load("digits")
    x, y = digits.features.numpy(), digits.labels.numpy()
    test = x[1500:].copy()
    test[7] = x[3] * 0.9
    train, other = load(x[:1500], y[:1500]), load(test, y[1500:])
    assert shared_images(train, load(x[1500:], y[1500:])) == []
    (found,) = shared_images(train, other)
    assert found.evidence.startswith("1 images of the test set are nearly equal to one of the")
    assert "7 and 3" in found.evidence
