"""Sources of tables: read as a frame is."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import pytest

import hcat_nb.registry as registry
from hcat_nb.data.loading import load
from hcat_nb.data.sources._table import TableSource
from hcat_nb.errors import SpecError, UnknownNameError


@pytest.fixture
def _coins() -> object:
    @dataclass(frozen=True)
    class Coins(TableSource):
        name = "coins"
        title = "Coins"
        n_samples = 3
        bundled = True

        def frame(self) -> tuple[pd.DataFrame, str]:
            return pd.DataFrame({"metal": ["a", "b", None], "x": [1, 2, None], "y": [0, 1, 1]}), "y"

    registry.register(Coins)
    yield
    registry.SOURCES.unregister("coins")


@pytest.mark.usefixtures("_coins")
def test_a_users_own_table_takes_the_options_of_tables() -> None:
    data = load("coins", impute=0)
    assert data.name == "coins"
    assert data.features.tolist() == [[0, 1], [1, 2], [2, 0]]
    assert len(load("coins", on_bad_row="drop")) == 2
    with pytest.raises(
        UnknownNameError, match=r"'imputed' of the dataset 'coins'.*nearest: impute"
    ):
        load("coins", imputed=0)
    with pytest.raises(SpecError, match=r"impute is 'men'"):
        load("coins", impute="men")
