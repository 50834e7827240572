from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.errors import SpecError
from hcat_nb.perturbations.adjacent import Adjacent

GRADES = ("average", "best", "good", "low", "none")  # as text sorts them
RANKED = ["none", "low", "average", "good", "best"]


def make(n=20_000, values=GRADES):
    return LabelledDataset(
        "toy", torch.zeros(n, 1), torch.arange(n) % len(values), values, pd.RangeIndex(n)
    )


def flips(data, result):
    hard = result.truth.is_hard.to_numpy()
    return data.labels.numpy()[hard], result.dataset.labels.numpy()[hard]


def test_one_up_or_down_modulo_c_with_equal_odds():
    data = make()
    before, after = flips(data, Adjacent()(data, 0.5, 0))
    step = (after - before) % 5
    assert set(step.tolist()) == {1, 4}
    # Binomial(10000, .5): sd 50; 4 sd.
    assert abs((step == 1).sum() - 5000) < 200


def test_the_order_counts_when_given():
    data = make()
    before, after = flips(data, Adjacent(order=RANKED)(data, 0.5, 0))
    rank = np.array([RANKED.index(value) for value in GRADES])
    assert set(((rank[after] - rank[before]) % 5).tolist()) == {1, 4}
    pairs = {(GRADES[b], GRADES[a]) for b, a in zip(before, after, strict=True)}
    assert ("low", "none") in pairs
    assert ("low", "best") not in pairs


def test_two_classes_take_the_other_one():
    data = make(100, (-1, 1))
    before, after = flips(data, Adjacent()(data, 0.4, 0))
    assert (before + after == 1).all()


def test_classes_without_samples_are_stepped_over():
    data = make(300, (0, 1, 2, 3))
    data = data.replace(labels=torch.tensor([0, 1, 3]).repeat(100))
    before, after = flips(data, Adjacent()(data, 0.5, 0))
    assert set(zip(before.tolist(), after.tolist(), strict=True)) == {
        (0, 1), (0, 3), (1, 0), (1, 3), (3, 1), (3, 0),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("order", "message"),
    [
        (["none", "low"], "order holds 2 different classes in 2 places; expected each of the 5"),
        ([*RANKED, "low"], "5 different classes in 6 places"),
        ([*RANKED[:4], "worst"], "order names 'worst'"),
        ("low", "order is 'low'"),
        (3, "order is 3"),
    ],
)
@pytest.mark.parametrize("p", [0, 0.2])
def test_orders_that_are_none(order, message, p):
    with pytest.raises(SpecError, match=message):
        Adjacent(order=order)(make(100), p, 0)


def test_order_may_be_an_array():
    data = make(100)
    wanted = Adjacent(order=RANKED)(data, 0.3, 0).truth
    pd.testing.assert_frame_equal(Adjacent(order=np.array(RANKED))(data, 0.3, 0).truth, wanted)
