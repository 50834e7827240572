from __future__ import annotations

import pandas as pd
import pytest
import torch

from hcat_nb.api.characterize import characterize
from hcat_nb.errors import UnknownNameError
from hcat_nb.runs.execution.perturbed import perturbed


def test_it_is_what_a_run_trains_on() -> None:
    options = {"hardness": "uniform", "p": 0.2, "seed": 3, "data_seed": 4, "subset": 300}
    made = perturbed("digits", **options)
    run = characterize("digits", epochs=1, methods="el2n", **options)
    assert run.dataset is not None
    assert torch.equal(made.dataset.features, run.dataset.features)
    assert torch.equal(made.dataset.labels, run.dataset.labels)
    pd.testing.assert_frame_equal(made.truth, run.truth)


def test_without_hardness_nothing_is_changed() -> None:
    assert repr(perturbed("wine")) == "<Perturbed: wine, 178 samples, 0 made hard>"


def test_a_wrong_option_is_named() -> None:
    with pytest.raises(UnknownNameError, match="nearest: hardness"):
        perturbed("wine", hardnes="uniform")
