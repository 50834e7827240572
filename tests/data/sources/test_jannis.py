"""Jannis."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import torch

from hcat_nb.data.loading import load
from hcat_nb.perturbations._apply import perturb


def test_a_sample_has_the_classes_that_are_known_of_it(shared_data: Path) -> None:
    path = str(shared_data / "tables" / "jannis_sample.parquet")
    data = load("jannis", path=path, drop="openml_row")
    assert data.sample_shape == (54,)
    shares = (data.class_counts / len(data) * 100).round(decimals=1).tolist()
    assert shares == pytest.approx([2.0, 34.4, 17.6, 46.0], abs=0.051)


def test_openmls_answer_gives_the_same_and_has_rules(
    shared_data: Path, openml_cache: Callable[..., Path]
) -> None:
    frame = pd.read_parquet(shared_data / "tables" / "jannis_sample.parquet").head(300)
    frame = frame.drop(columns="openml_row")
    data = load("jannis", root=openml_cache(41168, frame, "class"), download=False)
    expected = frame.drop(columns="class").to_numpy("float32")
    torch.testing.assert_close(data.features, torch.tensor(expected))
    truth = perturb(data, "instance", 0.5, seed=0).truth.query("is_hard")
    pairs = set(zip(truth.original_label, truth.observed_label, strict=True))
    assert pairs == {(0, 1), (1, 3), (2, 1), (3, 1)}
