"""Tables of a run."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from hcat_nb.api.characterize import characterize
from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.methods.base import Context
from hcat_nb.methods.detector import Detector
from hcat_nb.methods.forgetting import Forgetting
from hcat_nb.methods.loss import Loss
from hcat_nb.observation.clock import Clock
from hcat_nb.observation.record import Observation
from hcat_nb.runs.execution.tables import (
    Outcome,
    _status,
    id_frame,
    score_and_release,
    scores_table,
)


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
        # H-CAT's bounds.
        certain = details[uncertainty] <= 0.15
        easy, hard = (
            certain & (details["confidence"] >= 0.8),
            certain & (details["confidence"] <= 0.2),
        )
        assert (details[f"{name}_group"] == "easy").equals(easy)
        assert (details[f"{name}_group"] == "hard").equals(hard)
        assert not details[f"{name}_group"].equals(paper.details[f"{name}_group"])


def told() -> list:
    labels = torch.arange(40) % 4
    logits = torch.randn(3, 40, 4, generator=torch.Generator().manual_seed(0))
    methods = [Detector(), Loss(), Forgetting()]
    for method in methods:
        method.begin(Context(labels, 4, 3))
        for epoch in (1, 2, 3):
            method.observe(Observation("epoch", epoch, torch.arange(40), labels, logits[epoch - 1]))
    return methods


def test_scores_are_the_methods_own_in_their_order_and_states_are_gone():
    clock, methods = Clock(), told()
    outcomes = score_and_release(methods, clock)
    assert list(outcomes) == ["detector", "loss", "forgetting"]
    # Forgetting holds 7 bytes a sample, loss 10, the detector 14.
    assert list(clock.seconds) == ["forgetting", "loss", "detector"]
    for method, same in zip(methods, told(), strict=True):
        one = outcomes[method.name]
        assert one.scores.tolist() == same.scores().scores.tolist()
        assert list(one.status) == same.scores().status
        assert list(one.details) == list(same.details())
        with pytest.raises(AttributeError):
            method.state()
    assert outcomes["loss"].flagged is None
    assert outcomes["detector"].flagged.tolist() == told()[0].flagged().tolist()
