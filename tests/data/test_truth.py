"""The truth of the user's own: no feature, beside its sample, or refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from hcat_nb.data.loading import load
from hcat_nb.errors import DataError

FRAME = pd.DataFrame(
    {"a": [1.0, 2, 3, 4], "y": ["oak", "elm", "oak", None], "true": ["oak", "oak", None, "elm"]},
    index=list("wxyz"),
)


def test_a_column_of_truth_is_no_feature_and_stays_with_its_sample():
    data = load(FRAME, target="y", truth="true", on_missing_label="drop")
    assert data.feature_names == ("a",)
    assert data.truth.tolist() == ["oak", "oak", None]
    assert FRAME.shape == (4, 3)
    wine = load("wine")
    known = np.arange(178) % 3 == 0
    part = load(wine, truth=known, subset=40, seed=1)
    assert part.truth.tolist() == known[part.sample_ids].tolist()


def test_a_file_a_dict_and_an_array_have_one_too(tmp_path):
    FRAME.iloc[:3].to_csv(tmp_path / "trees.csv", index=False)
    of_file = load(str(tmp_path / "trees.csv"), target="y", truth="true")
    assert of_file.feature_names == ("a",)
    of_dict = load(FRAME.iloc[:3].to_dict("list"), target="y", truth="true")
    assert of_file.truth.tolist() == of_dict.truth.tolist() == ["oak", "oak", None]
    array = load(np.eye(3), ["oak", "elm", "oak"], truth=np.array([False, True, False]))
    assert array.truth.tolist() == [False, True, False]


def test_named_data_take_values():
    wine = load("wine", truth=np.zeros(178, dtype=bool), subset=20)
    assert wine.truth.tolist() == [False] * 20
    assert load(wine, truth=[True] * 20).truth.all()


@pytest.mark.parametrize(
    ("data", "options", "words"),
    [
        (FRAME, {"target": "y", "truth": "tru"}, "no column 'tru' to use as truth.*nearest: true"),
        (FRAME, {"target": "y", "truth": "y"}, "truth and target are both 'y'"),
        ("wine", {"truth": "true"}, "names a column, and 'wine' has none"),
        (np.eye(2), {"labels": [0, 1], "truth": "true"}, "data of the type ndarray have none"),
        (
            np.eye(2),
            {"labels": [0, 1], "truth": [0, 1, 1]},
            "2 rows, but 3 values of truth or groups",
        ),
        (FRAME, {"labels": [0, 1, 0, 1], "truth": pd.Series([0, 1, 0, 1])}, "another index"),
    ],
)
def test_what_is_no_truth_is_refused(data, options, words):
    with pytest.raises(DataError, match=words):
        load(data, on_missing_label="drop", **options)


def test_groups_are_a_column_or_values_and_no_feature() -> None:
    frame = pd.DataFrame(
        {"a": [0.0, 1.0, 2.0, 3.0], "who": ["x", "y", None, "x"], "y": [0, 1, 0, 1]}
    )
    data = load(frame, target="y", groups="who")
    assert data.groups.tolist() == [0, 1, -1, 0]
    assert data.feature_names == ("a",)
    assert data.take(torch.tensor([0, 3])).groups.tolist() == [0, 0]
    beside = load(frame[["a"]], frame["y"], groups=frame["who"])
    assert beside.groups.tolist() == data.groups.tolist()
    again = load(data, groups=["p", "q", "q", "p"])
    assert again.groups.tolist() == [0, 1, 1, 0]
    for wrong, words in (
        ("whom", "no column 'whom' to use as groups"),
        ("y", "groups and target are both 'y'"),
        (["x"], "values of truth or groups"),
    ):
        with pytest.raises(DataError, match=words):
            load(frame, target="y", groups=wrong)
    with pytest.raises(DataError, match="'wine' has none to be named"):
        load("wine", groups="who")


def test_weights_are_a_column_or_values_above_zero_and_no_feature(tmp_path) -> None:
    frame = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "w": [1, 2, 4, 0.5], "y": [0, 1, 0, 1]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    for data in (frame, tmp_path / "t.csv"):
        read = load(data, target="y", weights="w")
        assert read.weights.tolist() == [1, 2, 4, 0.5]
        assert read.feature_names == ("a",)
        assert read.take(torch.tensor([0, 3])).weights.tolist() == [1, 0.5]
    beside = load(frame[["a"]], frame["y"], weights=frame["w"])
    assert beside.weights.tolist() == read.weights.tolist()
    assert load(beside, weights=[1, 1, 1, 3]).weights.tolist() == [1, 1, 1, 3]
    assert load("wine", weights=np.ones(178)).weights.sum() == 178
    for wrong, words in (
        ("v", "no column 'v' to use as weights"),
        ([1, 1], "2 values of weights"),
        ([1, 0, None, 1], "2 weights are missing or not above 0, the first of 1"),
        ([1, np.inf, 1, 1], "1 weights are missing"),
        (["much", 1, 1, 1], "1 weights are missing"),
    ):
        with pytest.raises(DataError, match=words):
            load(frame, target="y", weights=wrong)


@pytest.mark.parametrize("option", ["truth", "groups", "weights"])
def test_a_column_that_stands_twice_is_refused(option: str) -> None:
    """The second would be a feature, which tells the truth."""
    twice = FRAME.set_axis(["a", "y", "a"], axis=1)
    with pytest.raises(DataError, match="several columns called 'a'"):
        load(twice, target="y", on_missing_label="drop", **{option: "a"})
