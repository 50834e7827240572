"""The table of methods says what the cards say."""

from __future__ import annotations

from hcat_nb.methods._listing import list_methods
from hcat_nb.registry import METHODS


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
    from hcat_nb.methods.loss import Loss

    own = type("Mine", (Loss,), {"name": "mine", "title": "My own"})
    monkeypatch.setitem(METHODS._registered, "mine", own)
    assert list_methods().loc["mine", "title"] == "My own"


def test_judges_follow_where_they_are_asked_for():
    table = list_methods(judges=True)
    assert table.index.tolist() == METHODS.known()
    assert table.loc["knn_label", "detects"] == "mislabel"
