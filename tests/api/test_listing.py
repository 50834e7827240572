"""Lists of what there is: a line each, whole cards, text and safe HTML."""

from __future__ import annotations

import pytest

from hcat_nb.api.listing import KINDS, listing
from hcat_nb.errors import UnknownNameError
from hcat_nb.methods.loss import Loss
from hcat_nb.registry import METHODS


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
