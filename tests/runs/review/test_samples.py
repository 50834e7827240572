"""Ids and labels as people and files write them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hcat_nb.errors import DataError, SpecError, UnknownNameError
from hcat_nb.runs.review.samples import Samples


def make(ids, values=("oak", "elm"), codes=(0, 1, -1)) -> Samples:
    labels = pd.Categorical.from_codes(list(codes), categories=pd.Index(list(values)))
    return Samples(pd.Index(ids), labels)


@pytest.mark.parametrize(
    "ids",
    [["s2", "s0", "s1"], [30, 10, 20], list(pd.date_range("2026-01-01", periods=3)), [0.5, 1.5, 2]],
)
def test_ids_of_any_kind_name_their_rows(ids):
    samples = make(ids)
    assert samples.rows([ids[2], ids[0]]).tolist() == [2, 0]
    assert samples.rows_of_texts([str(samples.ids[1])]).tolist() == [1]


def test_numbers_of_numpy_are_ids_and_positions_are_not():
    samples = make([30, 10, 20])
    assert samples.rows(np.array([10, 30])).tolist() == [1, 0]
    with pytest.raises(UnknownNameError, match=r"no sample 0, 1; .* such as 30"):
        samples.rows([0, 1])


def test_unknown_ids_are_named_and_counted():
    with pytest.raises(UnknownNameError, match="'a', 'b', 'c' and 2 more"):
        make(["s0", "s1", "s2"]).rows(list("abcde"))


def test_repeated_ids_are_refused_by_name():
    with pytest.raises(DataError, match="sample id 's0' occurs more than once"):
        make(["s0", "s1", "s0"])


def test_ids_that_a_text_file_cannot_tell_apart_are_refused():
    samples = make(pd.Index([1, "1", 2], dtype=object))
    assert samples.rows([1, "1"]).tolist() == [0, 1]
    with pytest.raises(DataError, match="two sample ids are written '1'"):
        samples.rows_of_texts(["1"])


@pytest.mark.parametrize(
    ("values", "label", "code"),
    [
        (("oak", "elm"), "elm", 1),
        ((8, 3), 3, 1),
        ((8, 3), "3", 1),
        ((8, 3), 3.0, 1),
        ((0.0, 1.0), "1", 1),
        ((False, True), "True", 1),
        ((False, True), np.True_, 1),
        (("oak", "elm"), None, -1),
        (("oak", "elm"), float("nan"), -1),
    ],
)
def test_labels_are_read_as_tables_hold_them(values, label, code):
    assert make([0, 1, 2], values).code(label) == code


def test_an_unknown_class_is_named_with_the_nearest():
    with pytest.raises(UnknownNameError, match=r"no class 'oack'.*nearest: oak"):
        make([0, 1, 2]).code("oack")
    many = [f"c{i}" for i in range(1000)]
    with pytest.raises(UnknownNameError) as caught:
        make([0, 1, 2], many).code("d")
    assert len(str(caught.value)) < 200


def test_a_missing_label_is_none():
    samples = make([0, 1, 2])
    assert [samples.label(row) for row in range(3)] == ["oak", "elm", None]
    samples.check_label(2, None)
    with pytest.raises(DataError, match="sample 1 was decided on with the label 'oak'"):
        samples.check_label(1, "oak")
    with pytest.raises(SpecError, match="sample 1 has the label 'elm' already"):
        samples.check_change(1, 1)


def test_spellings_of_one_class_are_one_where_a_run_may_have_joined_them() -> None:
    labels = pd.Categorical([" PAY", "trip", "pay"])
    ids = pd.Index([0, 1, 2])
    Samples(ids, labels, spelled=True).check_label(0, "pay")
    with pytest.raises(DataError, match="has the label ' PAY'"):
        Samples(ids, labels).check_label(0, "pay")
    with pytest.raises(DataError, match="has the label 'trip'"):
        Samples(ids, labels, spelled=True).check_label(1, "pay")


@pytest.mark.parametrize(
    "ids", [True, np.ones(5, dtype=bool), [False, 30], np.eye(2), pd.DataFrame({30: [1]}), {30: 1}]
)
def test_masks_and_tables_are_no_lists_of_ids(ids):
    """A mask of five rows would else be the samples 0 and 1, a table its columns."""
    samples = Samples(pd.Index([0, 1, 30]), pd.Categorical([0, 1, 0]))
    with pytest.raises(DataError, match="ids"):
        samples.rows(ids)


def test_true_is_not_the_class_1():
    samples = Samples(pd.Index([0, 1]), pd.Categorical([0, 1]))
    with pytest.raises(UnknownNameError, match="no class True"):
        samples.code(True)
    assert Samples(pd.Index([0, 1]), pd.Categorical([False, True])).code(True) == 1
