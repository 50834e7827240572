from __future__ import annotations

import numpy as np
import pandas as pd

from hcat_nb.checks.finding import LOOK, NOTE, SEVERE
from hcat_nb.checks.profile import profiles
from hcat_nb.checks.rows import overlap_findings, row_groups, twin_findings

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
