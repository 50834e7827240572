"""Columns and tables have an order, the same everywhere."""

from __future__ import annotations

from hcat_nb.registry import _ORDER, METHODS


def test_every_built_in_method_has_its_place() -> None:
    assert METHODS.names()
    assert set(METHODS.names()) <= set(_ORDER)


def test_no_place_is_given_twice() -> None:
    assert len(set(_ORDER)) == len(_ORDER)


def test_names_come_in_that_order() -> None:
    places = [_ORDER.index(name) for name in METHODS.names()]
    assert places == sorted(places)
