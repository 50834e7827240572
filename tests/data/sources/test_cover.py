"""Forest cover types."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import torch

from hcat_nb.data.loading import load
from hcat_nb.perturbations._apply import perturb
from hcat_nb.perturbations._tables import layout


def test_a_sample_has_the_counts_that_are_known_of_it(shared_data: Path) -> None:
    data = load("cover", path=str(shared_data / "tables" / "covertype_natural.parquet"))
    assert data.class_values == (1, 2, 3, 4, 5, 6, 7)
    assert int(data.class_counts[3]) == 40
    assert [len(block) for block in layout(data).blocks] == [4, 40]


def test_openmls_nominal_flags_are_numbers_again(
    shared_data: Path, openml_cache: Callable[..., Path]
) -> None:
    frame = pd.read_parquet(shared_data / "tables" / "covertype_natural.parquet").head(300)
    frame = frame.rename(columns={"Cover_Type": "class"})
    data = load("cover", root=openml_cache(1596, frame, "class"), download=False)
    expected = frame.drop(columns="class").to_numpy("float32")
    torch.testing.assert_close(data.features, torch.tensor(expected))
    assert data.levels == {}


def test_it_has_instance_rules_and_a_column_to_make_atypical(shared_data: Path) -> None:
    data = load("cover", path=str(shared_data / "tables" / "covertype_natural.parquet"))
    truth = perturb(data, "instance", 0.2, seed=0).truth.query("is_hard")
    pairs = set(zip(truth.original_label, truth.observed_label, strict=True))
    # H-CAT counts from 0, the table from 1
    assert pairs == {(1, 7), (2, 1), (3, 4), (4, 3), (5, 6), (6, 3), (7, 1)}
    notes = perturb(data, "atypical", 0.1, seed=0).dataset.notes
    assert notes[-1] == "atypical: values of 'Elevation' replaced"
