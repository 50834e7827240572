from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

import hcat_nb as hcat
from hcat_nb.api.run import Run
from hcat_nb.errors import UnknownNameError
from hcat_nb.jupyter.frames import rows
from hcat_nb.jupyter.map_scene import Bounds
from hcat_nb.jupyter.run_scene import run_coloring, run_scene


@pytest.fixture(scope="module")
def run() -> Run:
    return hcat.characterize(
        "wine", hardness="uniform", p=0.1, epochs=3, seed=0, methods=["aum", "datamaps"]
    )


def test_the_data_map_of_a_run(run: Run) -> None:
    scene = run_scene(run)
    points = rows(scene.frame())["points"]
    assert {row["id"] for row in points} == {str(one) for one in run.scores.index}
    by_row = {row["row"]: row for row in points}
    for position, (confidence, group) in enumerate(
        zip(run.details["confidence"], run.details["group"], strict=True)
    ):
        assert by_row[position]["y"] == pytest.approx(confidence, abs=8e-6)  # half a step
        assert by_row[position]["color"] == group
    spec = scene.spec()
    assert spec["layer"][1]["encoding"]["y"]["scale"]["domain"] == [0, 1]


def test_two_scores_against_each_other(run: Run) -> None:
    scene = run_scene(run, "aum", "datamaps", color="truth")
    aum, datamaps = run.scores["aum"].to_numpy(), run.scores["datamaps"].to_numpy()
    everywhere = Bounds((aum.min(), aum.max()), (datamaps.min(), datamaps.max()))
    assert len(scene.inside(everywhere)) == len(run.scores)
    points = {row["row"]: row for row in rows(scene.frame())["points"]}
    step = float(aum.max() - aum.min()) * 1.04 / 65535  # of the wire
    assert points[5]["x"] == pytest.approx(float(aum[5]), abs=step)
    hard = {row["row"] for row in points.values() if row["color"] == "made hard"}
    assert hard == set(np.flatnonzero(run.truth["is_hard"]).tolist())


def test_any_column_colours(run: Run) -> None:
    assert run_coloring(run, "aum").levels == ()
    assert set(run_coloring(run, "label").levels) == {str(one) for one in set(run.details["label"])}
    assert run_coloring(run, "group", "aleatoric").levels == ("fine", "uncertain", "doubted")
    papers = run_coloring(run, "dataiq_group")
    assert papers.levels == ("easy", "ambiguous", "hard")
    assert papers.title == "Data-IQ's groups"
    old = dataclasses.replace(run, details=run.details.drop(columns="group"))
    assert run_coloring(old, "group", "aleatoric").title == "Data-IQ's groups"
    assert run_coloring(old, "group").title == "Data Maps' thirds"


def test_mistakes_are_told(run: Run) -> None:
    with pytest.raises(UnknownNameError, match=r"no column 'aumm'.*nearest: aum"):
        run_scene(run, "aumm")
    with pytest.raises(UnknownNameError, match="'label' holds no numbers"):
        run_scene(run, "label")
    with pytest.raises(UnknownNameError, match="no column 'colour'"):
        run_coloring(run, "colour")


def test_a_missing_label_is_no_class_called_nan() -> None:
    frame = pd.DataFrame({"a": np.arange(60.0), "y": ["elm", None, "oak"] * 20})
    run = hcat.characterize(
        frame, target="y", on_missing_label="keep", epochs=1, methods="el2n", seed=0
    )
    # With one epoch there is no variability that differs, but everyone has a place.
    points = rows(run_scene(run, "el2n", "confidence").frame())["points"]
    labels = {row["id"]: row["label"] for row in points}
    expected = run.details["label"].astype(object).where(run.details["label"].notna(), "")
    assert labels == {str(one): expected[one] for one in run.details.index if str(one) in labels}
    assert "nan" not in labels.values()
