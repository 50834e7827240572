"""Eye movements."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import torch

from hcat_nb.data.loading import load
from hcat_nb.perturbations._apply import perturb


def test_the_whole_table_has_the_published_counts(shared_data: Path) -> None:
    data = load("eye", path=str(shared_data / "tables" / "eye_movements.parquet"))
    assert data.sample_shape == (27,)
    assert data.class_counts.tolist() == [3804, 4262, 2870]
    assert torch.isfinite(data.features).all()
    assert data.levels == {}


def test_openmls_answer_gives_the_same(
    shared_data: Path, openml_cache: Callable[..., Path]
) -> None:
    frame = pd.read_parquet(shared_data / "tables" / "eye_movements.parquet").head(300)
    data = load("eye", root=openml_cache(1044, frame, "label"), download=False)
    assert data.sample_shape == (27,)
    torch.testing.assert_close(
        data.features, torch.tensor(frame.drop(columns="label").to_numpy("float32"))
    )


def test_it_has_instance_rules_and_a_column_to_make_atypical(shared_data: Path) -> None:
    data = load("eye", path=str(shared_data / "tables" / "eye_movements.parquet"), rows=500)
    truth = perturb(data, "instance", 0.1, seed=0).truth.query("is_hard")
    pairs = set(zip(truth.original_label, truth.observed_label, strict=True))
    assert pairs == {(0, 1), (1, 0), (2, 1)}
    notes = perturb(data, "atypical", 0.1, seed=0).dataset.notes
    assert notes[-1] == "atypical: values of 'timePrtctg' replaced"
