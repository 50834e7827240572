"""What a type checker knows about the public calls: `make lint` checks it, nothing runs it."""

from __future__ import annotations

from pathlib import Path
from typing import assert_type

import altair as alt
import numpy as np
import pandas as pd

import hcat_nb as hcat


def from_names() -> hcat.Run:
    dataset = hcat.load("digits")
    assert_type(dataset, hcat.LabelledDataset)
    run = hcat.characterize(dataset, hardness="uniform", p=0.1, epochs=2)
    assert_type(run, hcat.Run)
    return run


def from_arrays(features: np.ndarray, labels: np.ndarray) -> None:
    assert_type(hcat.characterize(features, labels, epochs=2), hcat.Run)


def from_a_frame(frame: pd.DataFrame) -> None:
    assert_type(hcat.characterize(frame, target="species"), hcat.Run)


def results(run: hcat.Run, folder: Path) -> None:
    assert_type(run.scores, pd.DataFrame)
    assert_type(run.details, pd.DataFrame)
    assert_type(run.spec, hcat.RunSpec)
    assert_type(run.evaluate(), pd.DataFrame)
    assert_type(hcat.evaluate(run.scores, run.truth), pd.DataFrame)
    assert_type(run.data_map(), alt.LayerChart)
    assert_type(hcat.load_run(folder), hcat.Run)
    assert_type(hcat.resume(folder), hcat.Run)
    assert_type(run.by_seed(), list[pd.DataFrame])


def listings() -> None:
    assert_type(hcat.list_methods(), pd.DataFrame)
    assert_type(hcat.list_hardness(), pd.DataFrame)
