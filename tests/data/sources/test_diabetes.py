"""Diabetes, 130 US hospitals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.data.loading import load
from hcat_nb.perturbations._apply import perturb
from hcat_nb.perturbations._tables import layout


@pytest.fixture(scope="module")
def diabetes(shared_data: Path) -> LabelledDataset:
    return load("diabetes", path=str(shared_data / "tables" / "diabetes130us.parquet"), rows=2000)


def test_codes_and_question_marks_are_read_as_what_they_are(diabetes: LabelledDataset) -> None:
    assert diabetes.class_values == ("<30", ">30", "NO")
    assert diabetes.sample_shape == (47,)
    assert len(diabetes.levels) == 39
    names = diabetes.feature_names or ()
    assert "patient_nbr" not in names
    assert diabetes.levels[names.index("weight")][-1] == "(missing)"
    assert all("?" not in levels for levels in diabetes.levels.values())
    assert any(
        note.startswith("missing categories") and "weight" in note for note in diabetes.notes
    )
    assert names.index("examide") not in layout(diabetes).categorical  # constant


def test_openmls_answer_gives_the_same(
    shared_data: Path, openml_cache: Callable[..., Path], diabetes: LabelledDataset
) -> None:
    frame = pd.read_parquet(shared_data / "tables" / "diabetes130us.parquet")
    drawn = frame.loc[diabetes.sample_ids]
    data = load("diabetes", root=openml_cache(4541, drawn, "readmitted"), download=False)
    assert (data.features == diabetes.features).all()
    assert data.class_values == diabetes.class_values
    assert data.labels.tolist() == diabetes.labels.tolist()


def test_identifiers_are_kept_on_request(shared_data: Path) -> None:
    path = str(shared_data / "tables" / "diabetes130us.parquet")
    assert load("diabetes", path=path, rows=200, drop=[]).sample_shape == (49,)


def test_it_has_instance_rules_and_a_column_to_make_atypical(diabetes: LabelledDataset) -> None:
    truth = perturb(diabetes, "instance", 0.1, seed=0).truth.query("is_hard")
    pairs = set(zip(truth.original_label, truth.observed_label, strict=True))
    assert pairs == {("<30", ">30"), (">30", "<30"), ("NO", "<30")}
    notes = perturb(diabetes, "atypical", 0.1, seed=0).dataset.notes
    assert notes[-1] == "atypical: values of 'num_medications' replaced"
