"""A card that is incomplete or makes no sense is refused when the class is made."""

from __future__ import annotations

import abc

import pytest
import torch

from hcat_nb.errors import HcatError
from hcat_nb.methods._card import claim_words, is_abstract
from hcat_nb.methods.base import Method
from hcat_nb.observation.record import Need

CARD = {
    "name": "mine",
    "title": "Mine",
    "paper": "none",
    "needs": frozenset({Need.LOGITS}),
    "hard_when": "high",
    "detects": frozenset({"mislabel"}),
    "looks_at_labels": True,
    "buffers": ("total",),
    "cost": "none",
    "misleads": "always",
}
BODY = {
    "allocate": lambda self, context: None,
    "observe": lambda self, record: None,
    "raw": lambda self: torch.zeros(1),
}


def make(**changes):
    """Make a method class with a changed card; None takes an item out."""
    card = {key: value for key, value in {**CARD, **changes}.items() if value is not None}
    return type("Mine", (Method,), {**BODY, **card})


def test_a_complete_card_is_accepted():
    assert make().name == "mine"


@pytest.mark.parametrize("item", CARD)
def test_an_absent_item_is_named(item):
    with pytest.raises(HcatError, match=f"Mine has no `{item}`"):
        make(**{item: None})


@pytest.mark.parametrize(
    ("item", "value", "expected"),
    [
        ("name", "not a name", "identifier"),
        ("name", 3, "identifier"),
        ("title", "", "text"),
        ("needs", {Need.LOGITS}, "frozenset of Need"),
        ("needs", frozenset({"logits"}), "frozenset of Need"),
        ("hard_when", "large", '"high" or "low"'),
        ("detects", frozenset({"noise"}), "mislabel, ood, atypical, boundary"),
        ("detects", ("mislabel",), "frozenset"),
        ("looks_at_labels", "yes", "True or False"),
        ("buffers", "total", "tuple of attribute names"),
        ("sweeps", 0, "at least 1"),
        ("ties", 1, "a column or None"),
        ("variants", ("paper", "hcat"), "default of the option `variant` first"),
    ],
)
def test_an_item_that_makes_no_sense_is_named(item, value, expected):
    with pytest.raises(HcatError, match=rf"Mine\.{item} is .*{expected}"):
        make(**{item: value})


def test_scores_is_final():
    with pytest.raises(HcatError, match=r"Mine overrides `scores`.*override `raw`"):
        make(scores=lambda self: None)


def test_abstract_classes_in_between_need_no_card():
    class Between(Method):
        @abc.abstractmethod
        def values(self): ...

    class StillOpen(Between):
        def values(self): ...

    assert is_abstract(Between)
    assert is_abstract(StillOpen)
    with pytest.raises(HcatError, match="Closed has no"):
        type("Closed", (StillOpen,), dict(BODY))
    assert not is_abstract(type("Closed", (StillOpen,), {**BODY, **CARD}))


@pytest.mark.parametrize(
    "kinds", [{"luck": frozenset({"image"})}, {"mislabel": frozenset()}, {"mislabel": {"sound"}}]
)
def test_kinds_of_data_belong_to_a_fault(kinds):
    with pytest.raises(HcatError, match=r"Mine\.detects_in is"):
        make(detects_in=kinds)
    card = make(detects_in={"mislabel": frozenset({"table", "text"})})
    assert card.claims("table") == {"mislabel"}
    assert not card.claims("image")
    assert claim_words(card) == ["mislabel (tables and texts)"]
