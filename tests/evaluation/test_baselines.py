from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hcat_nb.errors import DataError
from hcat_nb.evaluation.baselines import baselines, class_frequency, random_scores
from hcat_nb.evaluation.table import evaluate


def test_random_is_seeded_and_uninformative():
    assert np.array_equal(random_scores(100, 1), random_scores(100, 1))
    assert not np.array_equal(random_scores(100, 1), random_scores(100, 2))
    assert random_scores(5).dtype == np.float32
    truth = np.random.default_rng(0).random(20_000) < 0.1
    table = evaluate(pd.Series(random_scores(20_000)), truth, n_resamples=0)
    # sd of AUROC: sqrt((P + N + 1) / (12 P N)) = .0068; 4 sd.
    assert abs(table.auroc[0] - 0.5) < 0.028


@pytest.mark.parametrize(
    "labels",
    [
        ["a", "b", "a", None, "a"],
        pd.Series(pd.Categorical(["a", "b", "a", None, "a"], categories=["b", "a", "never"])),
        [1.0, 2.0, 1.0, float("nan"), 1.0],
    ],
)
def test_the_rarer_class_is_the_harder(labels):
    scores = class_frequency(labels)
    assert scores.dtype == np.float32
    assert np.array_equal(scores, np.float32([0.25, 0.75, 0.25, np.nan, 0.25]), equal_nan=True)


def test_the_frame_has_the_index_of_the_labels():
    labels = pd.Series(["a", "b", "b"], index=["x", "y", "z"])
    frame = baselines(labels, last_loss=[0.1, 2.0, 0.3], seed=3)
    assert list(frame.columns) == ["random", "class_frequency", "last_loss"]
    assert frame.index.tolist() == ["x", "y", "z"]
    assert set(frame.dtypes) == {np.dtype("float32")}
    assert np.array_equal(frame.random, random_scores(3, 3))
    assert list(baselines(labels).columns) == ["random", "class_frequency"]
    with pytest.raises(DataError, match=r"last_loss has the shape \(2,\); expected \(3,\)"):
        baselines(labels, last_loss=[0.1, 2.0])
