"""The one order of classes: by names where there are any."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from hcat_nb.data.class_order import by_names, check_order, fit_classes, in_recorded_order, ranks
from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.errors import DataError, ModelError


def data(values: tuple[object, ...]) -> LabelledDataset:
    labels = torch.tensor([0, 1, 1, -1])
    return LabelledDataset("d", torch.zeros(4, 2), labels, values, pd.RangeIndex(4))


def test_integer_labels_are_the_outputs_of_a_wider_model():
    wide = fit_classes(data((0, 3)), 5)
    assert wide.labels.tolist() == [0, 3, 3, -1]
    assert wide.class_values == (0, 1, 2, 3, 4)
    assert wide.notes == ("no sample of class 1, 2, 4",)


def test_as_many_outputs_as_classes_change_nothing():
    same = data(("a", "b"))
    assert fit_classes(same, 2) is same


@pytest.mark.parametrize(("values", "width"), [((0, 3), 3), (("a", "b"), 4), ((-1, 1), 4)])
def test_outputs_that_fit_no_class_are_refused(values, width):
    with pytest.raises(ModelError, match=f"{width} outputs for 2 classes"):
        fit_classes(data(values), width)


def test_who_predicts_one_class_only_knows_no_order() -> None:
    labels = np.array([1] * 80 + [0] * 20)
    check_order(np.zeros(100, dtype=int), labels, (0, 1), "these", "none")
    few = np.arange(6)  # one row a class: any order can be made right
    check_order(np.array([1, 0, 3, 2, 5, 4]), few, tuple(range(6)), "these", "none")


def test_names_are_the_classes_that_they_say_or_further_ones() -> None:
    assert by_names(("oak", "elm"), ["ash", "elm", "oak"]) == ("ash", "elm", "oak")
    assert by_names((1.0, 2.0), ["2.0", "0.5", "1.0"]) == (2.0, 0.5, 1.0)
    for values, name in (((0, 1), "other"), ((0, 1), "0.5"), ((False, True), "maybe")):
        with pytest.raises(DataError, match=f"called '{name}' beside {values[0]!r}"):
            by_names(values, [*map(str, values), name])


def test_texts_that_are_numbers_stand_in_their_order_and_others_as_texts() -> None:
    assert [text for _, text in sorted(ranks(["10", "9", "1."]))] == ["1.", "9", "10"]
    assert ranks(["10", "b"]) == ["10", "b"]


def test_the_order_that_a_run_recorded_is_taken_if_the_classes_are_the_same() -> None:
    known = data(("b", "a"))
    assert in_recorded_order(known, ["a", "b"]).labels.tolist() == [1, 0, 0, -1]
    assert in_recorded_order(known, ["a", "c"]) is known
