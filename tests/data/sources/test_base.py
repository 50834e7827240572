"""What a source has to provide: the same for all of them."""

from __future__ import annotations

import pandas as pd
import pytest
import torch

import hcat_nb.registry as registry
from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.data.loading import load
from hcat_nb.data.sources.base import Source
from hcat_nb.errors import UnknownNameError


def test_a_source_without_load_cannot_be_made() -> None:
    class Empty(Source):
        name = "empty"

    with pytest.raises(TypeError, match="load"):
        Empty()


@pytest.mark.parametrize("name", registry.SOURCES.names())
def test_every_source_has_a_complete_card(name: str) -> None:
    card = registry.SOURCES.get(name)
    assert card.name == name
    assert card.title
    assert card.modality in ("image", "table")
    assert card.n_samples is None or card.n_samples > 0
    assert isinstance(card.bundled, bool)


def test_a_source_of_the_users_own_is_loaded_by_name() -> None:
    class Coins(Source):
        name = "coins"
        title = "Coins"
        modality = "table"
        n_samples = 2
        bundled = True

        def load(self) -> LabelledDataset:
            return LabelledDataset(
                "coins", torch.eye(2), torch.tensor([0, 1]), ("head", "tail"), pd.RangeIndex(2)
            )

    registry.register(Coins)
    try:
        assert load("coins").class_values == ("head", "tail")
    finally:
        registry.SOURCES.unregister("coins")


def test_an_unknown_option_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown option 'row' of the dataset 'eye'.*rows"):
        load("eye", row=5)
    with pytest.raises(UnknownNameError, match="'rows' of the dataset 'wine'; expected no options"):
        load("wine", rows=5)


def test_where_and_whether_to_download_are_no_options_of_a_dataset() -> None:
    options = registry.SOURCES.get("eye").options()
    assert {"path", "rows", "impute"} <= set(options)
    assert not {"root", "download"} & set(options)
