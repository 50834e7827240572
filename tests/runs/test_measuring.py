"""Metrics of a record are those that its face gives."""

from __future__ import annotations

import pandas as pd
import pytest

from hcat_nb.api.run import Run
from hcat_nb.errors import DataError
from hcat_nb.runs.measuring import measured, metrics_to_keep


def test_the_face_measures_the_same(image_run: Run) -> None:
    ours = measured(image_run, n_resamples=0, baselines=False)
    pd.testing.assert_frame_equal(ours, image_run.evaluate(n_resamples=0, baselines=False))
    assert ours["hcm"].tolist() == image_run.methods


def test_a_folder_keeps_metrics_only_where_a_truth_is_known(image_run: Run, table_run: Run) -> None:
    assert metrics_to_keep(table_run) is None
    kept = metrics_to_keep(image_run, n_resamples=0)
    assert kept is not None
    assert set(image_run.methods) < set(kept["hcm"])
    with pytest.raises(DataError, match="nobody knows"):
        measured(table_run)
