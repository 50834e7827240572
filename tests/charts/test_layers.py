from __future__ import annotations

import numpy as np
import pytest

from hcat_nb.charts.coloring import Coloring, by_truth
from hcat_nb.charts.data_map import CONFIDENCE, X_AXES
from hcat_nb.charts.layers import CELLS, MapAxis, MapLayers, _lowest, split

AXES = {"x_axis": X_AXES["variability"], "y_axis": CONFIDENCE}


def layers_of(n: int, **options: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, MapLayers]:
    rng = np.random.default_rng(1)
    x, y, hard = rng.random(n) / 2, rng.random(n), rng.random(n) < 0.1
    return x, y, hard, split(x, y, by_truth(hard), **AXES, **options)


def test_up_to_the_limit_all_are_points() -> None:
    *_, layers = layers_of(10_000)
    assert sorted(layers.rows.tolist()) == list(range(10_000))
    assert len(layers.count) == 0
    assert layers.caption() == "10,000 samples"


def test_beyond_it_the_hardest_are_and_the_rest_is_counted() -> None:
    x, y, _, layers = layers_of(12_000)
    expected = set(np.argsort(y)[:5000].tolist())
    assert set(layers.rows.tolist()) == expected
    rest = [i for i in range(12_000) if i not in expected]
    counts, _, _ = np.histogram2d(
        x[rest], y[rest], bins=CELLS, range=[[0, 0.5], [0, 1]]
    )  # an independent count
    table = np.zeros((CELLS, CELLS))
    table[layers.column, layers.row] = layers.count
    np.testing.assert_array_equal(table, counts)
    assert layers.caption() == (
        "12,000 samples: density, and the 5,000 of lowest confidence as points"
    )


def test_a_cell_takes_its_commonest_colour() -> None:
    x, y = np.full(7, 0.1), np.full(7, 0.9)
    truth = np.array([True, True, False, True, False, False, False])
    layers = split(x, y, by_truth(truth), **AXES, all_points=1, hardest=1)
    assert layers.count.tolist() == [6]
    left = np.delete(truth, layers.rows)
    assert layers.color.tolist() == [int(left.sum() > 3)]


def test_a_cell_of_numbers_takes_their_mean_and_leaves_out_missing_ones() -> None:
    coloring = Coloring("aum", np.array([9.0, 1.0, 3.0, np.nan]))
    x, y = np.full(4, 0.1), np.array([0.1, 0.9, 0.9, 0.9])
    layers = split(x, y, coloring, **AXES, all_points=1, hardest=1)
    assert layers.rows.tolist() == [0]
    assert layers.color.tolist() == [2.0]


def test_what_has_no_place_is_counted_but_not_drawn() -> None:
    coloring = by_truth(np.zeros(3, dtype=bool))
    layers = split(np.array([0.1, np.nan, 0.2]), np.full(3, 0.5), coloring, **AXES)
    assert layers.rows.tolist() == [0, 2]
    assert layers.caption() == "3 samples, 1 of them without coordinates"
    nowhere = split(np.full(3, np.nan), np.full(3, 0.5), coloring, **AXES)
    assert nowhere.caption() == "3 samples, none with coordinates yet"


def test_the_rarest_colour_is_drawn_last() -> None:
    truth = np.array([True, False, False, False])
    layers = split(np.full(4, 0.1), np.full(4, 0.5), by_truth(truth), **AXES)
    assert layers.rows.tolist() == [1, 2, 3, 0]


def test_values_on_the_border_are_inside() -> None:
    truth = np.zeros(3, dtype=bool)
    layers = split(np.full(3, 0.5), np.ones(3), by_truth(truth), **AXES, all_points=1, hardest=1)
    assert (layers.column.tolist(), layers.row.tolist()) == ([CELLS - 1], [CELLS - 1])
    assert layers.shade.tolist() == [255]


def test_nothing() -> None:
    layers = split(np.empty(0), np.empty(0), by_truth(np.empty(0, dtype=bool)), **AXES)
    assert (len(layers.rows), len(layers.count), layers.caption()) == (0, 0, "0 samples")


def test_selected_samples_are_points_whatever_their_hardness() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.random(12_000) / 2, rng.random(12_000)
    easiest = np.argsort(-y)[:7]
    layers = split(x, y, by_truth(np.zeros(12_000, dtype=bool)), **AXES, always=easiest)
    assert set(easiest) <= set(layers.rows)
    assert len(layers.rows) == 5_000
    others = np.setdiff1d(layers.rows, easiest)
    assert set(others) == set(np.argsort(y)[:4_993])


def test_a_filter_counts_what_it_lets_through() -> None:
    x, y = np.full(5, 0.1), np.array([0.1, 0.2, 0.3, 0.4, np.nan])
    keep = np.array([True, False, True, True, True])
    layers = split(x, y, by_truth(np.zeros(5, dtype=bool)), **AXES, keep=keep)
    assert layers.rows.tolist() == [0, 2, 3]
    assert layers.caption() == ("4 of 5 samples pass the filter, 1 of them without coordinates")


def test_axes_of_any_range_and_a_hardness_of_its_own() -> None:
    axis = MapAxis("aum", "aum", low=-4.0, high=4.0)
    x = np.array([-4.0, 0.0, 3.99, 9.0])
    hardness = np.array([0.0, 0.0, np.nan, 5.0])
    truth = by_truth(np.zeros(4, dtype=bool))
    layers = split(
        x, x, truth, x_axis=axis, y_axis=axis, all_points=1, hardest=1, hardness=hardness
    )
    assert layers.rows.tolist() == [3]
    assert layers.column.tolist() == layers.row.tolist() == [0, CELLS // 2, CELLS - 1]
    assert "the 1 of highest hardness as points" in layers.caption()


@pytest.mark.parametrize("kind", ["spread", "ties", "hidden between those looked at", "missing"])
def test_the_lowest_of_many_are_those_that_sorting_finds(kind: str) -> None:
    values = np.random.default_rng(2).random(200_000).astype(np.float32)
    if kind == "ties":
        values = np.round(values, 1)
    if kind == "hidden between those looked at":
        values[1::64] -= 1
    if kind == "missing":
        values[::3] = np.nan
    for k in (1, 5_000, 150_000):
        if kind == "missing" and k > 100_000:
            continue  # the lowest are then not all numbers
        found = _lowest(values, k)
        assert len(set(found.tolist())) == k
        np.testing.assert_array_equal(np.sort(values[found]), np.sort(values)[:k])
