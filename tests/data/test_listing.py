"""The table of named datasets."""

from __future__ import annotations

import pytest

from hcat_nb.data._listing import list_datasets, option_texts
from hcat_nb.data.loading import load
from hcat_nb.registry import SOURCES


def test_every_source_has_a_row_and_bundled_ones_keep_their_word() -> None:
    table = list_datasets()
    assert list(table.index) == SOURCES.names()
    assert table.index.name == "name"
    columns = ["title", "modality", "n_samples", "bundled", "options", "cost", "paper"]
    assert list(table.columns) == columns
    assert {"digits", "wine", "breast_cancer"} <= set(table.index[table.bundled])
    for name, card in table[table.bundled].iterrows():
        dataset = load(name)
        assert (len(dataset), dataset.modality) == (card.n_samples, card.modality)


def test_every_source_says_where_it_comes_from_and_what_getting_it_costs() -> None:
    table = list_datasets()
    assert not table["paper"].isin(["", "not stated"]).any()
    assert (table["cost"] == "bundled").equals(table["bundled"])
    assert table.loc["mnist", "cost"] == "download, 12 MB"
    assert table.loc["eye", "cost"] == "download from OpenML"


@pytest.mark.parametrize("name", SOURCES.names())
def test_every_option_is_documented(name: str) -> None:
    texts = option_texts(SOURCES.get(name))
    assert list(texts) == list(SOURCES.get(name).options())
    for text in texts.values():
        assert 10 < len(text) < 100
        assert "`" not in text
