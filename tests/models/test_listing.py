"""The table of models."""

from __future__ import annotations

from hcat_nb.models._listing import list_models


def test_every_model_has_a_row():
    table = list_models()
    assert set(table.index) >= {"cnn", "dense", "lenet", "mlp", "resnet18"}
    assert table.loc["mlp", "modality"] == "image, table"
