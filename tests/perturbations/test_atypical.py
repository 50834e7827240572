from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hcat_nb.errors import DataError, SpecError, UnknownNameError
from hcat_nb.perturbations.atypical import Atypical


def skewed(n=2000, seed=0):
    rng = np.random.default_rng(seed)
    return np.column_stack([rng.normal(size=n), rng.lognormal(size=n), rng.uniform(size=n)])


def test_one_value_comes_from_the_upper_one_percent(table):
    data = table(skewed())
    result = Atypical(column=0)(data, 0.4, 0)
    hard = result.truth.is_hard.to_numpy(copy=True)
    before, after = data.features.numpy(), result.dataset.features.numpy()
    tail = np.sort(before[:, 0])[-20:]
    assert np.isin(after[hard, 0], tail).all()
    assert set(tail) == set(after[hard, 0])  # 800 draws of 20: missing one is below 1e-15
    assert (after[:, 1:] == before[:, 1:]).all()
    assert (before[hard, 0] < tail[0]).all()
    assert set(result.truth.strength[hard]) == {0.01}


def test_draws_from_the_tail_are_even(table):
    data = table(skewed())
    result = Atypical(column=0)(data, 0.5, 0)
    values = result.dataset.features.numpy()[result.truth.is_hard, 0]
    _, counts = np.unique(values, return_counts=True)
    # 1,000 draws of 20: chi-square with 19 degrees of freedom; the .9999 quantile is 50.8.
    assert ((counts - 50) ** 2 / 50).sum() < 50.8


def test_several_tails_are_recorded(table):
    data = table(skewed())
    result = Atypical(column=0, strength=[0.01, 0.1])(data, 0.4, 0)
    values, ordered = result.dataset.features.numpy()[:, 0], np.sort(data.features[:, 0].numpy())
    for share, count in ((0.01, 20), (0.1, 200)):
        rows = (result.truth.strength == share).to_numpy()
        assert rows.sum() > 300
        assert values[rows].min() >= ordered[-count]


@pytest.mark.parametrize("name", ["Elevation", "num_medications", "timePrtctg"])
def test_published_columns_come_first(table, name):
    data = table(skewed(), ("a", "b", name))
    assert Atypical().settle(data, 0).column == name
    result = Atypical()(data, 0.1, 0)
    assert (result.dataset.features[:, :2] == data.features[:, :2]).all()
    assert result.dataset.notes == (f"atypical: values of {name!r} replaced",)


def test_else_the_column_whose_tail_lies_furthest_out(table):
    features = skewed()
    tail = np.sort(features, axis=0)[-20:].mean(axis=0)
    reach = (tail - np.median(features, axis=0)) / features.std(axis=0)
    assert reach.argmax() == 1
    assert Atypical().settle(table(features), 0).column == 1
    assert Atypical().settle(table(features, ("a", "b", "c")), 0).column == "b"


def test_published_tables(table, shared_data):
    for file, column in (
        ("covertype_natural", "Elevation"),
        ("eye_movements", "timePrtctg"),
        ("diabetes130us", "num_medications"),
    ):
        frame = pd.read_parquet(shared_data / "tables" / f"{file}.parquet").select_dtypes("number")
        frame = frame.iloc[:3000]
        data = table(frame.to_numpy(np.float32), tuple(map(str, frame.columns)))
        result = Atypical()(data, 0.1, 0)
        position = list(frame.columns).index(column)
        hard = result.truth.is_hard.to_numpy(copy=True)
        changed = result.dataset.features.numpy() != data.features.numpy()
        assert changed.sum() == 300
        assert changed[hard, position].all()
        limit = np.sort(frame[column].to_numpy(np.float32))[-30]
        assert (result.dataset.features.numpy()[hard, position] >= limit).all()


def test_a_column_without_a_tail(table):
    data = table(np.column_stack([np.ones(50), np.arange(50)]), ("same", "other"))
    with pytest.raises(DataError, match="no value of 'same' lies below the upper tail"):
        Atypical(column="same")(data, 0.1, 0)


def test_a_column_that_does_not_exist(table):
    with pytest.raises(UnknownNameError, match=r"column names 'agee'.*nearest: age"):
        Atypical(column="agee")(table(skewed(), ("age", "b", "c")), 0.1, 0)


@pytest.mark.parametrize("share", [0, 1, "1 %"])
def test_share_outside_its_range(share):
    with pytest.raises(SpecError, match="strength is"):
        Atypical(strength=share)
