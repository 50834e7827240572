"""Small runs that tests share."""

from __future__ import annotations

import pytest

from hcat_nb.data.loading import load
from hcat_nb.runs.characterize import characterize
from hcat_nb.runs.run import Run


@pytest.fixture(scope="session")
def image_run() -> Run:
    """200 digits, label noise, LeNet, all methods, dynamics kept."""
    return characterize(
        "digits",
        subset=200,
        hardness="uniform",
        p=0.1,
        epochs=3,
        batch_size=16,
        seed=0,
        keep_dynamics="probs",
    )


@pytest.fixture(scope="session")
def table_run() -> Run:
    """The wine table as it is, MLP."""
    return characterize(load("wine"), epochs=3, methods="aum,el2n,forgetting", seed=0)
