from __future__ import annotations

import dataclasses

from hcat_nb.perturbations._listing import list_hardness
from hcat_nb.registry import PERTURBATIONS


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
