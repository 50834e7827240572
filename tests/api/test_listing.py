"""Lists of what there is: a line each, whole cards, text and safe HTML."""

from __future__ import annotations

import dataclasses

import pytest

from hcat_nb.api.listing import (
    KINDS,
    list_datasets,
    list_hardness,
    list_methods,
    list_models,
    listing,
    option_texts,
)
from hcat_nb.data.loading import load
from hcat_nb.errors import UnknownNameError
from hcat_nb.methods.loss import Loss
from hcat_nb.registry import METHODS, PERTURBATIONS, SOURCES


@pytest.mark.parametrize("kind", KINDS)
def test_there_is_a_line_for_each_name_with_its_entries_in_columns(kind):
    found = listing(kind)
    lines = repr(found).splitlines()
    assert [line.split()[0] for line in lines] == KINDS[kind].names()
    columns = [column for column in ("title", "cost", "paper") if column in found.frame]
    assert columns[0] == "title"
    for line, (_, card) in zip(lines, found.frame.iterrows(), strict=True):
        places = [line.index(card[column]) for column in columns]
        assert places == sorted(places)
    for column in columns:
        pairs = zip(lines, found.frame[column], strict=True)
        assert len({line.index(card) for line, card in pairs}) == 1


def test_methods_hardness_and_datasets_state_cost_and_paper():
    for kind in ("methods", "hardness", "datasets"):
        frame = listing(kind).frame[["title", "cost", "paper"]]
        assert not frame.isin(["", "not stated"]).any(axis=None)


def test_names_ask_for_whole_cards_in_the_order_given():
    found = listing("methods", ["vog", "data_uncert", "vog"])
    assert found.frame.index.tolist() == ["vog", "dataiq", "datamaps"]
    lines = repr(found).splitlines()
    assert lines[0] == "vog"
    assert lines[6].split(maxsplit=1) == ["misleads", METHODS.get("vog").misleads]
    assert "\n    misleads" in repr(listing("methods", verbose=True))


def test_the_options_of_a_dataset_have_a_line_each():
    text = repr(listing("datasets", ["cover"]))
    assert "    options    drop: Columns that are no features" in text
    assert "\n               path: A copy of the table" in text
    assert "    options    none" in repr(listing("datasets", ["wine"]))


def test_an_unknown_name_or_kind_answers_with_the_nearest():
    with pytest.raises(UnknownNameError, match="nearest: zoom_shift"):
        listing("hardness", ["zoom"])
    with pytest.raises(UnknownNameError, match="nearest: methods"):
        listing("method")


def test_a_notebook_gets_a_table_whose_texts_are_whole_and_safe(monkeypatch):
    evil = "<script>alert(1)</script>" + "x" * 60
    own = type("Mine", (Loss,), {"name": "mine", "title": evil})
    monkeypatch.setitem(METHODS._registered, "mine", own)
    for found in (listing("methods"), listing("methods", ["mine"])):
        page = found._repr_html_()
        assert "<script>" not in page
        assert "x" * 60 in page
    assert listing("methods")._repr_html_().count("<tr>") == len(METHODS.names()) + 1


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


def test_one_row_a_method_in_the_registrys_order():
    table = list_methods()
    assert table.index.tolist() == METHODS.names()
    assert table.index.name == "name"
    columns = ["title", "detects", "looks_at_labels", "cost", "paper", "misleads"]
    assert table.columns.tolist() == columns
    assert not table.isna().any(axis=None)


def test_entries_are_the_cards():
    table = list_methods()
    assert table.loc["conf_agree", "looks_at_labels"].item() is False
    assert table.loc["aum", "looks_at_labels"].item() is True
    assert table.loc["prototypicality", "detects"] == "atypical (images), mislabel, ood (images)"
    assert table.loc["grand", "detects"] == "atypical (images), mislabel, ood (tables)"
    assert table.loc["aum", "paper"] == "Pleiss et al. 2020, arXiv 2001.10528"


def test_a_users_own_method_is_listed(monkeypatch):
    own = type("Mine", (Loss,), {"name": "mine", "title": "My own"})
    monkeypatch.setitem(METHODS._registered, "mine", own)
    assert list_methods().loc["mine", "title"] == "My own"


def test_judges_follow_where_they_are_asked_for():
    table = list_methods(judges=True)
    assert table.index.tolist() == METHODS.known()
    assert table.loc["knn_label", "detects"] == "mislabel"


def test_every_model_has_a_row():
    table = list_models()
    assert set(table.index) >= {"cnn", "dense", "lenet", "mlp", "resnet18"}
    assert table.loc["mlp", "modality"] == "image, table"


def test_every_kind_is_listed_with_its_card():
    table = list_hardness()
    assert table.index.tolist() == PERTURBATIONS.names()
    assert table.index.name == "name"
    assert list(table.columns) == ["title", "family", "modality", "options", "cost", "paper"]
    assert (table.title.str.len() > 0).all()
    assert table.loc["uniform"].tolist() == [
        "Mislabelled: uniform", "mislabel", "image, table", "variant='paper'",
        "a copy of the labels", "H-CAT, arXiv 2403.04551",
    ]  # fmt: skip
    assert not table[["cost", "paper"]].isin(["", "not stated"]).any(axis=None)
    for name in table.index:
        for item in dataclasses.fields(PERTURBATIONS.get(name)):
            assert f"{item.name}=" in table.loc[name, "options"]
