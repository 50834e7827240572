"""What a run kept is found, or what it lacks is named."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hcat_nb.api.run import Run
from hcat_nb.errors import StoreError
from hcat_nb.runs.recorded.kept import kept_dynamics


def test_probabilities_come_back_epoch_by_epoch(image_run: Run) -> None:
    kept = kept_dynamics(image_run)
    assert (kept.n, kept.n_epochs, kept.content) == (200, 3, "label_probs")
    found = torch.cat([values for _, values in kept.chunks(2)]).numpy().ravel()
    assert np.array_equal(found, image_run.dynamics["epoch_2"].to_numpy())


def test_a_run_that_kept_nothing_says_what_would_have(table_run: Run) -> None:
    with pytest.raises(StoreError, match="keep_dynamics"):
        kept_dynamics(table_run)
