from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from hcat_nb.data.dataset import NO_LABEL, LabelledDataset
from hcat_nb.errors import DataError, SpecError
from hcat_nb.perturbations._labels import (
    _draw,
    class_codes,
    cyclic_neighbours,
    off_diagonal,
    populated,
)
from hcat_nb.perturbations.uniform import Uniform


def make(labels, values):
    labels = torch.tensor(labels)
    return LabelledDataset(
        "toy", torch.zeros(len(labels), 2), labels, values, pd.RangeIndex(len(labels))
    )


def test_populated_counts_trainable_samples_only():
    data = make([0, 1, 2, NO_LABEL], (0, 1, 2, 3))
    data = data.replace(unreadable=torch.tensor([False, True, False, False]))
    assert populated(data).tolist() == [True, False, True, False]


def test_cyclic_neighbours_of_an_order_with_a_gap():
    expected = np.zeros((4, 4))
    expected[3, [0, 1]] = expected[0, [3, 1]] = expected[1, [0, 3]] = 0.5
    assert np.array_equal(cyclic_neighbours([3, 0, 1], 4), expected)


def test_off_diagonal_leaves_its_input():
    weights = np.array([[1.0, 3.0], [0.0, 2.0]])
    assert off_diagonal(weights).tolist() == [[0.0, 1.0], [0.0, 0.0]]
    assert weights.tolist() == [[1.0, 3.0], [0.0, 2.0]]


def test_draws_follow_the_matrix():
    matrix = np.array([[0, 0.2, 0.5, 0.3], [1.0, 0, 0, 0], [0, 0.5, 0, 0.5], [0.25, 0.75, 0, 0]])
    originals = np.repeat([0, 1, 2, 3], 20_000)
    observed = _draw(matrix, originals, np.random.default_rng(0))
    for code in range(4):
        shares = np.bincount(observed[originals == code], minlength=4) / 20_000
        # sd of a share is at most .0035; 4 sd.
        assert np.abs(shares - matrix[code]).max() < 0.015
        assert (shares[matrix[code] == 0] == 0).all()


def test_draws_stay_inside_the_row_when_rounding_leaves_a_gap():
    class Top:
        def random(self, size):
            return np.full(size, np.nextafter(1.0, 0.0))

    matrix = off_diagonal(np.array([[0.0, 0.1, 0.1, 0.1], *np.eye(4)[1:]]))
    assert _draw(matrix, np.array([0]), Top()).tolist() == [3]


@pytest.mark.parametrize(
    ("values", "named", "codes"),
    [
        (("oak", "elm"), ["elm", "oak"], [1, 0]),
        ((10, 20, 30), [30, 10], [2, 0]),
        ((10, 20, 30), ["30", "10"], [2, 0]),
        ((10, 20, 30), [0, 2], [0, 2]),
        ((10, 20, 30), ["0", "2"], [0, 2]),
        ((1, 2, 3), [1, 3], [0, 2]),  # values come before codes
        ((1, 2, 3), [0, 1], [0, 1]),  # 0 is no value: all are codes
        ((False, True), [True, False], [1, 0]),
        ((False, True), ["True"], [1]),
        ((0.5, 1.5), [1.5], [1]),
    ],
)
def test_class_codes(values, named, codes):
    assert class_codes(make([0, 1], values), named, "order") == codes


@pytest.mark.parametrize("stranger", ["ash", 7, [0], None])
def test_class_codes_of_no_class(stranger):
    with pytest.raises(
        SpecError, match=r"order names .*, which is no class; expected 'oak', 'elm'"
    ):
        class_codes(make([0, 1], ("oak", "elm")), ["oak", stranger], "order")


def test_one_class_has_nothing_to_be_mixed_up_with():
    with pytest.raises(DataError, match="samples of at least two classes"):
        Uniform()(make([1] * 10, (0, 1)), 0.2, 0)


def test_text_keys_and_numbers_beside_them_are_read_as_text():
    """``{"1": [7]}``, as a JSON file has it: by value, else by code."""
    assert class_codes(make([0, 1, 2], (1, 7, 9)), ["1", 7], "rules") == [0, 1]
    assert class_codes(make([0, 1], ("oak", "elm")), ["0", 1], "rules") == [0, 1]
    with pytest.raises(SpecError, match="rules names 8, which is no class"):
        class_codes(make([0, 1, 2], (1, 7, 9)), ["1", 8], "rules")
