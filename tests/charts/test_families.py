"""Each family has one colour."""

from __future__ import annotations

from hcat_nb.charts.families import FAMILIES, family_color, family_names
from hcat_nb.evaluation.baselines import baselines
from hcat_nb.registry import JUDGES, METHODS


def test_each_method_that_ships_has_a_family_with_a_colour() -> None:
    found = family_names(METHODS.names())
    assert set(found.values()) == FAMILIES.keys() - {"own", "judge", "baseline"}
    assert set(family_names(JUDGES).values()) == {"judge"}
    assert len(set(FAMILIES.values())) == len(FAMILIES)


def test_baselines_are_known_by_name() -> None:
    import numpy as np
    import pandas as pd

    table = baselines(pd.Series([0, 1, 1]), last_loss=np.ones(3))
    assert set(family_names(table.columns).values()) == {"baseline"}


def test_ones_own_families_come_first_and_strangers_are_grey() -> None:
    assert family_names(["aum", 7], {"aum": "mine"}) == {"aum": "mine", 7: "own"}
    assert family_names(["vog (at=all)"]) == {"vog (at=all)": "learning: gradient"}
    scale = family_color(["mine", "statistical", "mine"]).to_dict()["scale"]
    assert scale["domain"] == ["statistical", "mine"]
    assert scale["range"][0] == FAMILIES["statistical"]
