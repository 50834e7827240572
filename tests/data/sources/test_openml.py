"""Tables of OpenML: the cache, copies, rows drawn, no network."""

from __future__ import annotations

import urllib.error
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hcat_nb.data.loading import load
from hcat_nb.data.sources.eye import Eye
from hcat_nb.errors import DataError, MissingDataError, SpecError

Cache = Callable[[int, pd.DataFrame, str], Path]


@pytest.fixture
def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "timePrtctg": rng.random(60).round(3),
            "flag": rng.integers(0, 2, 60),
            "word": rng.choice(["a", "b", "?"], 60),
            "label": np.arange(60) % 3,
        }
    )


def test_what_the_cache_holds_is_read_without_a_network(
    openml_cache: Cache, table: pd.DataFrame
) -> None:
    root = openml_cache(1044, table, "label")
    data = load("eye", root=root, download=False)
    assert (data.name, data.feature_names) == ("eye", ("timePrtctg", "flag", "word"))
    assert data.class_values == (0, 1, 2)
    assert data.labels.tolist() == table.label.tolist()
    np.testing.assert_allclose(data.features[:, 0], table.timePrtctg, rtol=1e-6)
    assert data.features[:, 1].tolist() == table.flag.tolist()
    # a question mark without quotes is ARFF's missing value
    assert data.levels == {2: ("a", "b", "(missing)")}


def test_a_longer_table_is_drawn_as_the_original_draws_it(
    openml_cache: Cache, table: pd.DataFrame
) -> None:
    root = openml_cache(1044, table, "label")
    expected = table.sample(20, random_state=0)
    data = load("eye", root=root, rows=20)
    assert list(data.sample_ids) == expected.index.tolist()
    assert data.labels.tolist() == expected.label.tolist()
    assert len(load("eye", root=root, rows=None)) == 60


def test_a_copy_serves_instead(tmp_path: Path, table: pd.DataFrame) -> None:
    table.to_csv(tmp_path / "copy.csv", index=False)
    assert len(load("eye", path=str(tmp_path / "copy.csv"), missing="?")) == 60
    table.drop(columns="label").to_csv(tmp_path / "other.csv", index=False)
    with pytest.raises(DataError, match=r"other.csv has no column 'label'"):
        load("eye", path=str(tmp_path / "other.csv"))


def test_nothing_is_fetched_that_may_not_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sklearn.datasets.fetch_openml", None)
    with pytest.raises(MissingDataError, match=r"'eye' \(OpenML 1044\).*may not .*path="):
        load("eye", root=tmp_path, download=False)


def test_no_network_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(**_: object) -> None:
        raise urllib.error.URLError("no route\nto host")

    monkeypatch.setattr("sklearn.datasets.fetch_openml", unreachable)
    with pytest.raises(MissingDataError, match=r"could not be downloaded .*no route") as caught:
        load("eye", root=tmp_path)
    assert "\n" not in str(caught.value)


def test_options_out_of_range_and_labels_beside_it() -> None:
    with pytest.raises(SpecError, match=r"rows is 1"):
        Eye(rows=1)


def test_it_takes_no_other_target(openml_cache: Cache, table: pd.DataFrame) -> None:
    root = openml_cache(1044, table, "label")
    with pytest.raises(DataError, match=r"target was given with 'eye', which has its own"):
        load("eye", root=root, target="flag")
