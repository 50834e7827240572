from __future__ import annotations

import numpy as np
import pandas as pd

from hcat_nb.charts.coloring import SCHEMES, Coloring, by_column, by_group, by_truth
from hcat_nb.charts.theme import DOUBTS, GROUPS, NONE, OTHER


def shown(coloring: Coloring) -> list[str]:
    return [coloring.levels[code] for code in coloring.data.tolist()]


def test_groups_keep_their_colours_whatever_comes_first() -> None:
    for scheme in ("datamaps_group", "dataiq_group"):
        coloring = by_group(np.array(["hard", "easy", "ambiguous", "hard"]), scheme)
        assert shown(coloring) == ["hard", "easy", "ambiguous", "hard"]
        assert dict(zip(coloring.levels, coloring.palette, strict=True)) == GROUPS
    coloring = by_group(np.array(["doubted", "fine", "uncertain"]), "group")
    assert shown(coloring) == ["doubted", "fine", "uncertain"]
    assert dict(zip(coloring.levels, coloring.palette, strict=True)) == DOUBTS
    titles = {by_group(np.array([""]), scheme).title for scheme in SCHEMES}
    assert len(titles) == len(SCHEMES)  # each scheme is named as none of the others


def test_truth() -> None:
    assert shown(by_truth(np.array([True, False]))) == ["made hard", "untouched"]


def test_missing_names_are_grey_and_all_rows_stay() -> None:
    column = pd.Series(pd.Categorical(["elm", None, "oak", "elm"], ["oak", "elm"]), name="label")
    coloring = by_column(column)
    assert shown(coloring) == ["elm", "none", "oak", "elm"]
    assert coloring.palette[-1] == NONE


def test_a_class_that_is_called_as_missing_ones_are_stays_another() -> None:
    coloring = by_column(pd.Series(["none", None, "oak"], name="label"))
    assert coloring.levels == ("none", "oak", "(none)")
    assert shown(coloring) == ["none", "(none)", "oak"]
    many = by_column(pd.Series(["other", "other", *"abcdefghijkl"], name="label"))
    assert shown(many)[0] == "other"
    assert shown(many)[-1] == "(other)"


def test_numbers_as_names_are_in_the_order_of_numbers() -> None:
    coloring = by_column(pd.Series([10, 2, 1, 10], name="label"))
    assert coloring.levels == ("1", "2", "10")
    assert shown(coloring) == ["10", "2", "1", "10"]


def test_of_many_classes_the_smallest_share_a_colour() -> None:
    large = np.repeat(np.arange(9), 5)
    column = pd.Series(pd.Categorical(np.concatenate([large, np.arange(9, 30)])), name="label")
    coloring = by_column(column)
    assert coloring.levels == (*map(str, range(9)), "other")
    assert coloring.palette[-1] == OTHER
    assert shown(coloring)[-1] == "other"
    assert shown(coloring)[:6] == ["0"] * 5 + ["1"]


def test_numbers_stay_numbers() -> None:
    coloring = by_column(pd.Series([0.5, np.nan, 2.0], name="aum"))
    assert coloring.levels == ()
    np.testing.assert_array_equal(coloring.data, [0.5, np.nan, 2.0])
    assert by_column(pd.Series(np.arange(50), name="count")).levels == ()


def test_truth_values_are_names() -> None:
    assert set(by_column(pd.Series([True, False], name="kept")).levels) == {"True", "False"}
