"""The table of named datasets."""

from __future__ import annotations

from hcat_nb.data._listing import list_datasets
from hcat_nb.data.loading import load
from hcat_nb.registry import SOURCES


def test_every_source_has_a_row_and_bundled_ones_keep_their_word() -> None:
    table = list_datasets()
    assert list(table.index) == SOURCES.names()
    assert table.index.name == "name"
    assert list(table.columns) == ["title", "modality", "n_samples", "bundled"]
    assert {"digits", "wine", "breast_cancer"} <= set(table.index[table.bundled])
    for name, card in table[table.bundled].iterrows():
        dataset = load(name)
        assert (len(dataset), dataset.modality) == (card.n_samples, card.modality)
