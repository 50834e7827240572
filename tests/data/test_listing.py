"""The table of named datasets."""

from __future__ import annotations

import pytest

from hcat_nb.data._listing import dataset_lines, list_datasets, option_texts
from hcat_nb.data.loading import load
from hcat_nb.registry import SOURCES


def test_every_source_has_a_row_and_bundled_ones_keep_their_word() -> None:
    table = list_datasets()
    assert list(table.index) == SOURCES.names()
    assert table.index.name == "name"
    assert list(table.columns) == ["title", "modality", "n_samples", "bundled", "options"]
    assert {"digits", "wine", "breast_cancer"} <= set(table.index[table.bundled])
    for name, card in table[table.bundled].iterrows():
        dataset = load(name)
        assert (len(dataset), dataset.modality) == (card.n_samples, card.modality)


def test_each_dataset_has_one_line_and_each_option_one() -> None:
    lines = dataset_lines()
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == SOURCES.names()
    assert "wine           table     178  bundled   Wine recognition (scikit-learn)" in lines
    header = lines.index("  options of cover, diabetes, eye, jannis:")
    assert [line.split()[0] for line in lines[header + 1 : header + 3]] == ["path", "rows"]
    options = [line.split()[0] for line in lines if line.startswith("    ")]
    assert options.count("impute") == 1
    assert options.count("path") == 5  # a file, a folder, a copy, ...: not the same text


@pytest.mark.parametrize("name", SOURCES.names())
def test_every_option_is_documented(name: str) -> None:
    texts = option_texts(SOURCES.get(name))
    assert list(texts) == list(SOURCES.get(name).options())
    for text in texts.values():
        assert 10 < len(text) < 100
        assert "`" not in text
