from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import torch

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.errors import DataError, SpecError
from hcat_nb.perturbations.instance import Instance


def make(n=1000, values=tuple(range(10)), name="digits"):
    return LabelledDataset(
        name, torch.zeros(n, 1), torch.arange(n) % len(values), values, pd.RangeIndex(n)
    )


def pairs(data, result):
    hard = result.truth.is_hard.to_numpy()
    before, after = data.labels.numpy()[hard], result.dataset.labels.numpy()[hard]
    return set(zip(before.tolist(), after.tolist(), strict=True))


# Written out from H-CAT's published code (arXiv 2403.04551).
HANDWRITTEN = {(1, 7), (2, 7), (3, 8), (5, 6), (6, 5), (7, 1), (7, 2), (8, 3), (9, 7)}
TABLE = {
    "mnist": HANDWRITTEN,
    "digits": HANDWRITTEN,
    "cifar10": {(0, 2), (1, 9), (2, 9), (3, 5), (4, 5), (4, 7), (5, 3), (5, 4), (7, 5), (8, 7)},
    "cover": {(0, 6), (1, 0), (2, 3), (3, 2), (4, 5), (5, 2), (6, 0)},
    "diabetes": {(0, 1), (1, 0), (2, 0)},
    "eye": {(0, 1), (1, 0), (2, 1)},
}


@pytest.mark.parametrize("name", TABLE)
def test_built_in_rules_are_those_of_the_specification(name):
    classes = {"cover": 7, "diabetes": 3, "eye": 3}.get(name, 10)
    data = make(2100, tuple(range(classes)), name)
    found = set().union(*(pairs(data, Instance()(data, 0.6, seed)) for seed in range(3)))
    assert found == TABLE[name]


def test_fashion_mnist_keeps_trouser_and_bag():
    data = make(1000, name="fashion_mnist")
    truth = Instance()(data, 0.7, 0).truth
    assert not {1, 8} & set(truth[truth.is_hard].original_label)


def test_plausible_classes_are_equally_likely():
    data = make(40_000)
    result = Instance()(data, 0.5, 0)
    hard = result.truth.is_hard.to_numpy() & (data.labels.numpy() == 7)
    share = (result.dataset.labels.numpy()[hard] == 1).mean()
    # about 2,500 flips: sd .01; 4 sd.
    assert abs(share - 0.5) < 0.04


def test_p_beyond_the_classes_that_can_flip_names_the_largest():
    data = make(1000)  # 0 and 4 never flip: 800 can
    with pytest.raises(SpecError, match=r"p = 0.9 .*more than 'instance' can.*\(800 samples\)"):
        Instance()(data, 0.9, 0)
    assert Instance()(data, 0.8, 0).truth.is_hard.sum() == 800


def test_targets_without_samples_are_left_out():
    labels = torch.tensor([1, 2, 3, 8, 9]).repeat(100)  # no 7: 1, 2 and 9 cannot flip
    data = make(500).replace(labels=labels)
    assert pairs(data, Instance()(data, 0.3, 0)) == {(3, 8), (8, 3)}


@pytest.mark.parametrize(
    "data", [make(100, name="trees", values=(0, 1, 2)), make(90, name="digits", values=(0, 1, 2))]
)
@pytest.mark.parametrize("p", [0, 0.2])
def test_no_rules_for_this_dataset(data, p):
    with pytest.raises(DataError, match=r"no instance rules for .*to mend it: give rule_matrix="):
        Instance()(data, p, 0)


OWN = ("elm", "oak", "ash")


@pytest.mark.parametrize(
    "rules",
    [
        {"elm": "ash", "oak": ["elm", "ash"], "ash": "ash"},
        {"elm": {"ash": 2}, "oak": {"elm": 1, "ash": 1, "oak": 9}},
        {0: 2, 1: (0, 2)},
        {"0": "2", "1": [0, 2]},
        json.loads(json.dumps({0: [2], 1: [0, 2]})),
    ],
)
def test_own_rules_by_value_or_by_code(rules):
    data = make(300, OWN, "trees")
    if all(isinstance(key, str) and key.isdigit() for key in rules):
        rules = {key: np.ravel(np.array(to)).astype(str).tolist() for key, to in rules.items()}
    assert pairs(data, Instance(rule_matrix=rules)(data, 0.5, 0)) == {(0, 2), (1, 0), (1, 2)}


def test_weights_count():
    data = make(30_000, OWN, "trees")
    result = Instance(rule_matrix={"oak": {"elm": 3, "ash": 1}})(data, 0.3, 0)
    hard = result.truth.is_hard
    share = (result.truth.observed_label[hard] == "elm").mean()
    assert set(result.truth.original_label[hard]) == {"oak"}
    # 9,000 flips: sd .0046; 4 sd.
    assert abs(share - 0.75) < 0.019


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"elm": "yew"}, "rules names 'yew', which is no class"),
        ({"yew": "elm"}, "rules names 'yew'"),
        ({"elm": {"oak": -1}}, "the weight -1"),
        ({"elm": {"oak": "much"}}, "the weight 'much'"),
        ({"elm": [["oak"]]}, r"rules names \['oak'\]"),
        ("guess", "rule_matrix is 'guess'; expected 'confusion'"),
        (7, "rule_matrix is 7"),
        (np.ones((3, 3)), r"rule_matrix is array\(\["),
    ],
)
@pytest.mark.parametrize("p", [0, 0.2])
def test_rules_that_are_none(rules, message, p):
    with pytest.raises(SpecError, match=message):
        Instance(rule_matrix=rules)(make(30, OWN, "trees"), p, 0)


def test_rules_by_which_nothing_flips():
    with pytest.raises(DataError, match="can change no sample"):
        Instance(rule_matrix={"elm": "elm"})(make(30, OWN, "trees"), 0.2, 0)


def test_settled_rules_can_be_read_and_used_again():
    data = make(1000)
    settled = Instance().settle(data, 0)
    assert settled.rule_matrix[7] == {1: 1.0, 2: 1.0}
    assert settled.rule_matrix[0] == {}
    pd.testing.assert_frame_equal(settled(data, 0.2, 3).truth, Instance()(data, 0.2, 3).truth)


def test_hcat_flags_classes_that_have_no_rule():
    data = make(5000)
    result = Instance(variant="hcat")(data, 0.5, 0)
    hard = result.truth.is_hard.to_numpy()
    assert hard.sum() == 2500
    kept = (result.dataset.labels == data.labels).numpy()
    assert kept[~hard].all()
    assert set(data.labels.numpy()[hard & kept].tolist()) == {0, 4}
    assert set(data.labels.numpy()[hard & ~kept].tolist()) == {1, 2, 3, 5, 6, 7, 8, 9}
    assert pairs(data, result) - {(0, 0), (4, 4)} == HANDWRITTEN
    with pytest.raises(SpecError, match="variant is 'theirs'"):
        Instance(variant="theirs")
