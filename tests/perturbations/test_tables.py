from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from hcat_nb.errors import DataError, UnknownNameError
from hcat_nb.perturbations._tables import (
    Column,
    column_index,
    column_name,
    layout,
    numeric_columns,
)


def test_columns_by_what_they_hold(table):
    features = [
        # number, flag, one-hot of 3 with a member that no row has, constant, two values
        [1.5, 0, 1, 0, 0, 7, -3],
        [2.5, 1, 0, 0, 1, 7, 4],
        [9.0, 1, 0, 0, 1, 7, 4],
        [4.0, 0, 1, 0, 0, 7, -3],
        [4.0, 1, 1, 0, 0, 7, -3],
    ]
    found = layout(table(features))
    assert [column.index for column in found.numeric] == [0]
    assert found.blocks == ((2, 3, 4),)
    assert found.binary == ((1, 0.0, 1.0), (6, -3.0, 4.0))


def test_marginal_of_a_numeric_column(table):
    values = np.random.default_rng(0).normal(3, 2, 500).astype(np.float32)
    (column,) = layout(table(values[:, None])).numeric
    assert column.low == values.min()
    assert column.high == values.max()
    assert column.std == pytest.approx(values.astype(np.float64).std(), rel=1e-12)
    assert column.decimals is None


@pytest.mark.parametrize("decimals", [0, 1, 2, 4])
def test_decimals_survive_float32(table, decimals):
    values = np.round(np.random.default_rng(0).normal(30, 20, 500), decimals)
    (column,) = layout(table(values[:, None])).numeric
    assert column.decimals == decimals
    # As float32, in which it is kept: numpy and Python round the last digit of float64 otherwise.
    assert np.float32(column.rounded(np.array([1.23456789]))[0]) == np.float32(
        round(1.23456789, decimals)
    )


def test_two_blocks_beside_each_other(table):
    rng = np.random.default_rng(0)
    first, second = np.eye(3)[rng.integers(0, 3, 60)], np.eye(4)[rng.integers(0, 4, 60)]
    assert layout(table(np.hstack([first, second]))).blocks == ((0, 1, 2), (3, 4, 5, 6))


def test_flags_that_overlap_are_no_block(table):
    flags = np.random.default_rng(0).integers(0, 2, (60, 3))
    found = layout(table(flags))
    assert found.blocks == ()
    assert [index for index, _, _ in found.binary] == [0, 1, 2]


def test_unreadable_rows_are_left_out(table):
    data = table([[0.0, 5.0], [0.0, 5.0], [9.0, 1.0], [2.0, 5.0]])
    found = layout(data.replace(unreadable=torch.tensor([False, False, True, False])))
    assert found.numeric == ()
    assert found.binary == ((0, 0.0, 2.0),)


def test_covertype_has_two_blocks_and_ten_numbers(table, shared_data):
    for file in ("covertype_natural", "covertype_balanced"):
        frame = pd.read_parquet(shared_data / "tables" / f"{file}.parquet")
        frame = frame.drop(columns=["Cover_Type", "Id"], errors="ignore")
        found = layout(table(frame.to_numpy(np.float32), tuple(frame.columns)))
        names = [{frame.columns[index].rstrip("0123456789") for index in b} for b in found.blocks]
        assert names == [{"Wilderness_Area"}, {"Soil_Type"}]
        # 40 types; a last one that no row has would stand behind the block.
        assert len(found.blocks[1]) == 40
        assert len(found.numeric) == 10
        assert found.binary == ()
        assert all(column.decimals == 0 for column in found.numeric)


def test_digits_of_a_column_that_has_no_few_decimals(table):
    rng = np.random.default_rng(0)
    numbers = rng.lognormal(0, 3, (300, 2))
    six = [[float(f"{value:.6g}") for value in row] for row in numbers]
    assert [column.digits for column in layout(table(six)).numeric] == [6, 6]
    assert [column.digits for column in layout(table(numbers)).numeric] == [None, None]
    prices = layout(table(numbers.round(2))).numeric
    assert [(column.decimals, column.digits) for column in prices] == [(2, None)] * 2
    rounded = layout(table(six)).numeric[0].rounded(np.array([123456.789, -0.00123456789, 0.0]))
    assert rounded.tolist() == pytest.approx([123457.0, -0.00123457, 0.0], rel=1e-12)


@pytest.mark.parametrize("decimals", [0, 2, None])
def test_zero_has_no_sign(decimals):
    rounded = Column(0, 0.0, 9.0, 2.0, decimals).rounded(np.array([-0.001, -0.0]))
    assert not np.signbit(rounded[rounded == 0]).any()


def test_names_and_positions(table):
    data = table([[1.0, 2.0]], ("age", "height"))
    assert column_index(data, "height", "column") == 1
    assert column_index(data, 0, "column") == 0
    assert column_name(data, 1) == "height"
    assert column_name(table([[1.0]]), 0) == "column 0"
    with pytest.raises(UnknownNameError, match=r"column names 'hight', .*nearest: height"):
        column_index(data, "hight", "column")
    with pytest.raises(UnknownNameError, match="a position from 0 to 0"):
        column_index(table([[1.0]]), 1, "column")


def test_no_numeric_column(table):
    with pytest.raises(DataError, match="'toy' has none; expected a column with more than two"):
        numeric_columns(table([[0.0, 1.0], [1.0, 1.0]]), "atypical")
