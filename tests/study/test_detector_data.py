from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from hcat_nb.errors import DataError
from hcat_nb.study._detector_data import EPOCHS, FAMILIES, dynamics_of, family_runs


def test_sequences_and_truth_of_a_run(image_run):
    found = dynamics_of(image_run)
    assert found.probs.shape == (200, 3)
    np.testing.assert_array_equal(found.probs[:, 1], image_run.dynamics["epoch_2"])
    np.testing.assert_array_equal(found.wrong, image_run.truth["is_hard"])


def test_hardness_that_is_no_wrong_label_counts_as_clean(image_run):
    hard = np.flatnonzero(image_run.truth["is_hard"])
    family = image_run.truth["family"].to_numpy().copy()
    family[hard[:5]] = "near_ood"
    found = dynamics_of(dataclasses.replace(image_run, truth=image_run.truth.assign(family=family)))
    np.testing.assert_array_equal(np.flatnonzero(found.wrong), hard[5:])


def test_samples_that_were_never_measured_stay_out(image_run):
    dynamics = image_run.dynamics.copy()
    dynamics.iloc[[3, 5]] = np.nan
    assert dynamics_of(dataclasses.replace(image_run, dynamics=dynamics)).probs.shape == (198, 3)


def test_runs_from_which_nothing_can_be_learned(image_run, table_run):
    with pytest.raises(DataError, match=r"wine.*kept no dynamics.*keep_dynamics=probs"):
        dynamics_of(table_run)
    clean = image_run.truth.assign(family="none")
    with pytest.raises(DataError, match=r"0 wrong labels among 200; .*hardness='uniform'"):
        dynamics_of(dataclasses.replace(image_run, truth=clean))


def test_families_are_drawn_by_the_seed_and_hold_nothing_of_the_evaluation():
    first, again = next(family_runs(1, seed=5)), next(family_runs(1, seed=5))
    assert first.scores.equals(again.scores)
    assert first.spec == again.spec
    assert not first.scores.equals(next(family_runs(1, seed=6)).scores)
    assert first.dynamics.shape[1] == EPOCHS
    assert first.info["dataset"]["name"] in FAMILIES
    assert first.spec.hardness in ("uniform", "asymmetric")
    assert first.info["dataset"]["modality"] == "table"
