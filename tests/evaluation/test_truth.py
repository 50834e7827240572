"""A28: truth in every form that people have, and the forms that are refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from hcat_nb.errors import DataError
from hcat_nb.evaluation._truth import read_truth

IDS = pd.Index(list("abcdef"))
FLAGS = np.array([True, False, False, True, False, False])
SHUFFLED = [3, 0, 5, 1, 4, 2]


@pytest.mark.parametrize(
    "truth",
    [
        FLAGS,
        FLAGS.astype(int),
        FLAGS.astype(np.uint8),
        FLAGS.astype(float),
        FLAGS.astype(object),
        FLAGS.tolist(),
        FLAGS.astype(int).tolist(),
        tuple(FLAGS.astype(float)),
        torch.tensor(FLAGS),
        pd.Series(FLAGS, index=IDS),
        pd.Series(FLAGS, index=IDS).astype("boolean"),
        pd.Series(FLAGS, index=IDS).astype("Int64"),
        pd.Series(FLAGS, index=IDS).iloc[SHUFFLED],
        pd.DataFrame({"is_hard": FLAGS}, index=IDS).iloc[SHUFFLED],
        {"a", "d"},
        frozenset("ad"),
        ["d", "a"],
        ("a", "d"),
        pd.Index(["a", "d"]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_one_truth_in_many_forms(truth):
    read = read_truth(truth, IDS)
    assert read.is_hard.dtype == bool
    assert read.is_hard.tolist() == FLAGS.tolist()
    assert read.kinds() == ["given"]


@pytest.mark.parametrize("dtype", [object, "str", "category"])
@pytest.mark.parametrize("words", [("hard", "easy"), ("yes", "no"), ("1", "0"), ("True", "False")])
def test_text_is_refused_in_one_line(dtype, words):
    text = np.where(FLAGS, *words)
    column = pd.Series(text, index=IDS, dtype=dtype)
    for truth in (column, column.to_numpy(), text.tolist(), column.to_frame("is_hard")):
        with pytest.raises(DataError, match=r"holds '.*expected flags: True/False") as caught:
            read_truth(truth, IDS)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [0.5, 2, -1, float("nan"), None, pd.NA])
def test_what_is_no_flag(value):
    flags = [True, False, False, True, False, value]
    for truth in (np.array(flags, dtype=object), pd.Series(flags, index=IDS, dtype=object)):
        with pytest.raises(DataError, match="truth holds"):
            read_truth(truth, IDS)


@pytest.mark.parametrize(
    "truth",
    [FLAGS[:4], FLAGS[:4].tolist(), [0, 1, 1], pd.Series(FLAGS[:4], index=IDS[:4]), [[0, 1]] * 6],
)
def test_another_length(truth):
    with pytest.raises(DataError, match=r"expected \(6,\)|4 rows, scores have 6"):
        read_truth(truth, IDS)


@pytest.mark.parametrize("truth", [{"a", "z"}, ["a", "z"], pd.Series(FLAGS, index=list("abcdez"))])
def test_unknown_ids(truth):
    with pytest.raises(DataError, match="names the sample 'z', which has no score"):
        read_truth(truth, IDS)


def test_a_series_without_the_ids_is_told_how_to_match_by_position():
    with pytest.raises(DataError, match=r"truth\.to_numpy\(\)"):
        read_truth(pd.Series(FLAGS), IDS)


def test_integer_ids_are_not_taken_for_flags():
    assert read_truth([0, 1], pd.RangeIndex(6)).is_hard.tolist() == [True, True] + [False] * 4
    assert read_truth([1, 4], pd.RangeIndex(6)).is_hard.sum() == 2
    assert read_truth({0}, pd.RangeIndex(6)).is_hard.tolist() == [True] + [False] * 5
    assert read_truth([0, 1, 0, 0, 0, 0], pd.RangeIndex(6)).is_hard.tolist()[:2] == [False, True]


@pytest.mark.parametrize("truth", [set(), [], ()])
def test_no_ids_means_nothing_is_hard(truth):
    read = read_truth(truth, IDS)
    assert not read.is_hard.any()
    assert read.kinds() == []


def test_ids_that_repeat():
    twice = pd.Index(list("aabbcc"))
    assert read_truth(pd.Series(FLAGS, index=twice), twice).is_hard.tolist() == FLAGS.tolist()
    assert read_truth(FLAGS, twice).is_hard.tolist() == FLAGS.tolist()
    with pytest.raises(DataError, match="not unique"):
        read_truth({"a"}, twice)
    with pytest.raises(DataError, match="some of them twice"):
        read_truth(pd.Series(FLAGS, index=twice[::-1]), twice)


@pytest.mark.parametrize("truth", ["abc", 3, None])
def test_what_is_no_truth(truth):
    with pytest.raises(DataError, match="expected flags, one a sample, or the ids"):
        read_truth(truth, IDS)


def test_a_frame_without_is_hard():
    with pytest.raises(DataError, match="columns hard; expected a column is_hard"):
        read_truth(pd.DataFrame({"hard": FLAGS}, index=IDS), IDS)


def test_kinds_of_a_truth_table():
    kinds = ["uniform", "none", "none", "far_ood", "none", "none"]
    table = pd.DataFrame({"is_hard": FLAGS, "hardness": kinds}, index=IDS)
    for truth in (table, table.iloc[SHUFFLED], table.astype({"hardness": "category"})):
        read = read_truth(truth, IDS)
        assert read.kinds() == ["far_ood", "uniform"]
        assert read.hardness.tolist() == kinds
