"""Tables of a run."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.runs._tables import Outcome, _status, id_frame, scores_table
from hcat_nb.runs.characterize import characterize


def data(ids: list) -> LabelledDataset:
    return LabelledDataset(
        "d", torch.zeros(3, 2), torch.tensor([0, 1, 1]), (0, 1), pd.Index(ids, name="own")
    )


def test_unique_ids_are_the_index():
    frame = id_frame(data(["a", "b", "c"]), {"x": [1, 2, 3]})
    assert (frame.index.name, list(frame.columns)) == ("sample_id", ["x"])


def test_ids_that_repeat_get_a_position():
    frame = id_frame(data(["a", "a", "c"]), {"x": [1, 2, 3]})
    assert frame.index.tolist() == ["a", "a", "c"]
    assert frame["position"].tolist() == [0, 1, 2]


def test_scores_are_float32_columns():
    one = Outcome(np.array([1, 2, 3], np.float32), _status([""] * 3), {}, None)
    table = scores_table(data([1, 2, 3]), {"aum": one})
    assert table["aum"].dtype == "float32"


@pytest.mark.parametrize("reasons", [["", "", ""], ["", "b", "a"], ["b", "b", "b"]])
def test_a_status_is_what_pandas_makes_of_the_texts(reasons):
    made, plain = _status(reasons), pd.Categorical(reasons)
    assert list(made) == reasons
    assert made.dtype == plain.dtype
    assert made.categories.dtype == plain.categories.dtype


def test_groups_are_those_of_the_runs_own_methods():
    paper, hcat = (
        characterize(
            "wine",
            hardness="uniform",
            p=0.2,
            epochs=8,
            lr=0.01,
            methods="dataiq,datamaps",
            seed=0,
            model="mlp",
            variant=variant,
        )
        for variant in ("paper", "hcat")
    )
    details = hcat.details
    assert details["confidence"].equals(paper.details["confidence"])
    for name, uncertainty in (("dataiq", "aleatoric"), ("datamaps", "variability")):
        # METHODS.md, "groups": H-CAT's bounds.
        certain = details[uncertainty] <= 0.15
        easy, hard = (
            certain & (details["confidence"] >= 0.8),
            certain & (details["confidence"] <= 0.2),
        )
        assert (details[f"{name}_group"] == "easy").equals(easy)
        assert (details[f"{name}_group"] == "hard").equals(hard)
        assert not details[f"{name}_group"].equals(paper.details[f"{name}_group"])
