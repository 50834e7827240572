from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.errors import SpecError
from hcat_nb.perturbations.asymmetric import Asymmetric


def make(n=60_000, n_classes=4):
    return LabelledDataset(
        "toy", torch.zeros(n, 1), torch.arange(n) % n_classes, tuple(range(n_classes)),
        pd.RangeIndex(n),
    )  # fmt: skip


def shares(data, result):
    hard = result.truth.is_hard.to_numpy()
    table = np.zeros((data.n_classes, data.n_classes))
    np.add.at(table, (data.labels.numpy()[hard], result.dataset.labels.numpy()[hard]), 1)
    return table / np.maximum(table.sum(axis=1, keepdims=True), 1)


def test_flips_follow_the_drawn_matrix():
    data = make()
    matrix = np.array(Asymmetric().settle(data, 7).matrix)
    assert np.diag(matrix).tolist() == [0, 0, 0, 0]
    assert np.allclose(matrix.sum(axis=1), 1)
    # 7,500 flips a row: sd of a share at most .0058; 4 sd.
    assert np.abs(shares(data, Asymmetric()(data, 0.5, 7)) - matrix).max() < 0.024


def test_the_matrix_depends_on_the_seed_and_not_on_p():
    data = make(4000)
    a, b = Asymmetric().settle(data, 1).matrix, Asymmetric().settle(data, 2).matrix
    assert a == Asymmetric().settle(data, 1).matrix
    assert a != b


def test_rows_are_dirichlet_with_all_ones():
    # The share of one of three other classes is then Beta(1, 2): mean 1/3, and
    # below 1/2 with probability 3/4.  1,200 draws: sd .0068 and .0125; 4 sd.
    data = make(40)
    drawn = np.array([Asymmetric().settle(data, seed).matrix for seed in range(300)])
    entry = drawn[:, [0, 1, 2, 3], [1, 2, 3, 0]].ravel()
    assert abs(entry.mean() - 1 / 3) < 0.028
    assert abs((entry < 0.5).mean() - 0.75) < 0.05


def test_classes_without_samples_are_no_target():
    data = make(300, 4).replace(labels=torch.tensor([0, 1, 3]).repeat(100))
    assert set(Asymmetric()(data, 0.9, 0).dataset.labels.tolist()) <= {0, 1, 3}


def test_a_given_matrix_counts_without_its_diagonal_and_scale():
    data = make(40_000, 3).replace(labels=torch.arange(40_000) % 2)
    matrix = [[900, 10, 30], [5, 0, 0], [1, 1, 1]]
    got = shares(data, Asymmetric(matrix=matrix)(data, 0.5, 0))
    # about 10,000 flips a row: sd .0043; 4 sd.
    assert np.abs(got[0] - [0, 0.25, 0.75]).max() < 0.018
    assert got[1].tolist() == [1, 0, 0]


def test_a_class_with_its_diagonal_only_never_flips():
    data = make(100, 2)
    matrix = [[1, 0], [1, 1]]
    truth = Asymmetric(matrix=matrix)(data, 0.5, 0).truth
    assert truth[truth.is_hard].original_label.tolist() == [1] * 50
    with pytest.raises(SpecError, match=r"to 0\.504 \(50 samples\)"):
        Asymmetric(matrix=matrix)(data, 0.6, 0)


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ([[0, 1], [1, 0]], r"matrix has the shape \(2, 2\); expected 3 rows of 3"),
        ([[0, 1, 1], [1, 0], [1, 1, 0]], "expected 3 rows of 3 numbers"),
        ([[0, 1, 1], [1, 0, -1], [1, 1, 0]], r"matrix\[1\]\[2\] is -1"),
        ([[0, 1, 1], [1, 0, float("nan")], [1, 1, 0]], r"matrix\[1\]\[2\] is nan"),
        ([[0, 1, 1], [0, 0, 0], [1, 1, 0]], "row 1 of matrix sums to 0"),
        ("abc", "matrix is 'abc'"),
    ],
)
@pytest.mark.parametrize("p", [0, 0.2])
def test_matrices_that_are_none(matrix, message, p):
    with pytest.raises(SpecError, match=message):
        Asymmetric(matrix=matrix)(make(30, 3), p, 0)
