"""The user's own file, by name or by path."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hcat_nb.data.loading import load
from hcat_nb.errors import DataError, SpecError
from hcat_nb.runs.characterize import characterize


@pytest.fixture
def birds(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "wing": rng.normal(10, 1, 40).round(2),
            "colour": rng.choice(["grey", "black"], 40),
            "species": ["crow", "dove"] * 20,
        }
    )
    table.to_csv(tmp_path / "birds.csv", index=False)
    return tmp_path / "birds.csv"


def test_a_path_is_short_for_the_source(birds: Path) -> None:
    long = load("file", target="species", path=str(birds))
    for short in (load(str(birds), target="species"), load(birds, target="species")):
        assert (short.name, short.class_values) == ("birds", ("crow", "dove"))
        assert (short.features == long.features).all()
        assert short.levels == {1: ("black", "grey")}


def test_a_file_is_read_as_the_frame_is(birds: Path) -> None:
    frame = load(pd.read_csv(birds), target="species", name="birds", max_categories=2)
    file = load(birds, target="species", max_categories=2)
    assert (frame.features == file.features).all()
    assert (frame.levels, frame.notes, frame.name) == (file.levels, file.notes, file.name)


def test_policies_reach_the_rows(birds: Path) -> None:
    table = pd.read_csv(birds)
    table.loc[3, "wing"] = np.nan
    table.loc[4, "species"] = None
    table.to_csv(birds, index=False)
    data = load(birds, target="species", on_bad_row="drop", on_missing_label="drop")
    assert len(data) == 38
    assert len(load(birds, target="species", impute="mean", on_missing_label="keep")) == 40


def test_a_run_on_a_file_says_where_it_came_from(birds: Path) -> None:
    run = characterize(str(birds), target="species", epochs=2, seed=0, methods="aum")
    assert run.spec.dataset == str(birds)
    assert run.info["dataset"]["name"] == "birds"


def test_a_target_has_to_be_named(birds: Path) -> None:
    with pytest.raises(
        DataError, match=r"which column of .*birds.csv.*one of wing, colour, species"
    ):
        load(birds)
    with pytest.raises(DataError, match=r"no column 'specie'.*nearest: species"):
        load(birds, target="specie")


def test_the_source_needs_a_path() -> None:
    with pytest.raises(SpecError, match=r"given no path"):
        load("file", target="y")


def test_a_first_column_without_a_name_is_told(tmp_path: Path) -> None:
    for first in (0, 4):
        rows = "".join(f"{first + i},{i},{'xz'[i % 2]}\n" for i in range(3))
        (tmp_path / "t.csv").write_text(f",a,y\n{rows}")
        data = load(tmp_path / "t.csv", target="y")
        assert data.feature_names == ("a",)
        assert list(data.sample_ids) == [first, first + 1, first + 2]
        assert "the first column has no name" in data.notes[0]
    (tmp_path / "t.csv").write_text("a,y\n1,x\n2,z\n3,x\n")
    assert load(tmp_path / "t.csv", target="y").notes == ()
