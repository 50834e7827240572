"""Hardness by class."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from hcat_nb.charts.by_class import by_class, class_quantiles
from hcat_nb.errors import DataError, SpecError


def test_quantiles_are_numpys_and_the_hardest_class_comes_first(rows_of) -> None:
    rng = np.random.default_rng(0)
    labels = pd.Categorical(rng.choice(["oak", "elm", "ash"], 300))
    scores = pd.Series(rng.random(300) + 2 * (labels == "elm"), name="aum")
    table = class_quantiles(scores, labels)
    assert table.index[0] == "elm"
    assert table["median"].is_monotonic_decreasing
    for name in ("oak", "elm", "ash"):
        values = scores[labels == name]
        expected = np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95])
        np.testing.assert_allclose(table.loc[name].to_numpy()[1:], expected)
        assert table.loc[name, "n"] == len(values)
    rows = rows_of(by_class(scores, labels).to_dict())
    assert rows["class"].tolist() == table.index.tolist()
    assert rows["median"].tolist() == pytest.approx(table["median"].tolist(), abs=1e-3)


def test_missing_labels_are_a_class_and_missing_scores_are_counted() -> None:
    scores = pd.Series([1.0, 2.0, np.nan, 4.0], name="vog")
    table = class_quantiles(scores, ["a", None, "a", np.nan])
    assert table["n"].to_dict() == {"none": 2, "a": 1}
    spec = by_class(scores, ["a", None, "a", np.nan]).to_dict()
    assert spec["title"]["subtitle"] == "3 samples in 2 classes; 1 without a score"
    assert spec["title"]["text"] == "vog by class"


def test_of_many_classes_the_hardest_are_drawn(rows_of) -> None:
    labels = np.repeat(np.arange(1000), 2)
    scores = pd.Series(labels.astype(float), name="aum")
    spec = by_class(scores, labels).to_dict()
    assert rows_of(spec)["class"].astype(int).tolist() == list(range(999, 959, -1))
    assert "1,000 classes, the 40 hardest drawn" in spec["title"]["subtitle"]
    assert len(rows_of(by_class(scores, labels, most=3).to_dict())) == 3


def test_names_stay_names_whatever_is_in_them() -> None:
    names = ["'\"]; x", "<b>a\\b</b>\n", "ü€😀"]
    axis = by_class(pd.Series([3.0, 2.0, 1.0]), names).to_dict()["layer"][0]["encoding"]["y"]
    expression = axis["axis"]["labelExpr"]
    assert json.loads(expression.removesuffix("[datum.value]")) == names


def test_classes_that_print_alike_stay_two() -> None:
    assert len(class_quantiles(pd.Series([1.0, 2.0]), pd.Series([1, "1"], dtype=object))) == 2


def test_mistakes_are_told() -> None:
    with pytest.raises(DataError, match="1 labels for 2 scores"):
        by_class(pd.Series([1.0, 2.0]), ["a"])
    with pytest.raises(SpecError, match="most is 0"):
        by_class(pd.Series([1.0]), ["a"], most=0)
