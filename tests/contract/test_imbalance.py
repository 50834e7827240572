"""Classes of very different sizes, down to one sample: scored, or refused with the reason."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from hcat_nb.api.characterize import characterize
from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.data.reading.coerce import coerce
from hcat_nb.errors import DataError
from hcat_nb.perturbations._apply import perturb
from hcat_nb.registry import METHODS

SIZES = {"common": 150, "some": 40, "two": 2, "one": 1}
N = sum(SIZES.values())


def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    y = np.repeat(list(SIZES), list(SIZES.values()))
    place = np.repeat([0.0, 4.0, 8.0, 12.0], list(SIZES.values()))
    return pd.DataFrame(
        {
            "length": rng.normal(place, 1.0),
            "width": rng.normal(0, 1, N),
            "kind": np.where(rng.random(N) < 0.5, "a", "b"),
            "y": y,
        }
    )


def data() -> LabelledDataset:
    return coerce(frame(), target="y")


def test_every_sample_has_a_score_or_a_reason() -> None:
    run = characterize(data(), epochs=4, seed=0)
    assert set(run.scores) == set(METHODS.names())
    for name in run.scores:
        missing = run.scores[name].isna()
        reasons = run.details.get(f"{name}_status", pd.Series("", index=run.scores.index))
        assert (reasons[missing] == "rare_class").all()
    alone = (frame().y == "one").to_numpy()
    assert (run.details.prototypicality_status.to_numpy() == "rare_class").tolist() == (
        alone.tolist()
    )
    assert run.details.label.astype(str).tolist() == frame().y.tolist()


@pytest.mark.parametrize("hardness", ["uniform", "asymmetric", "adjacent", "instance"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_labels_flip_as_often_as_asked_whatever_the_sizes(hardness: str, seed: int) -> None:
    options = {"rule_matrix": "confusion"} if hardness == "instance" else {}
    truth = perturb(data(), hardness, 0.1, seed=seed, **options).truth
    assert (truth.original_label != truth.observed_label).sum() == round(0.1 * N)


def test_a_class_that_lost_its_only_sample_is_still_a_class() -> None:
    flipped = {"rule_matrix": {"one": "some", "two": "some"}}
    least = 3 / N  # all of both classes
    run = characterize(
        data(), hardness="instance", p=least, hardness_options=flipped, epochs=3, seed=0
    )
    assert run.dataset.class_counts.tolist().count(0) == 2
    assert run.truth.is_hard.sum() == 3
    assert run.scores.drop(columns="prototypicality").notna().all(axis=None)
    assert run.evaluate().auroc.notna().all()


def test_two_classes_one_of_a_single_sample() -> None:
    rare = frame().query("y in ['common', 'one']")
    run = characterize(rare, target="y", epochs=3, seed=0)
    assert run.scores.drop(columns="prototypicality").notna().all(axis=None)


def test_rules_cannot_be_estimated_of_classes_too_small_to_be_split() -> None:
    few = coerce(frame().query("y in ['two', 'one', 'common']").tail(4), target="y")
    with pytest.raises(DataError, match=r"two classes with at least 3 samples.*rule_matrix="):
        perturb(few, "instance", 0.3, seed=0, rule_matrix="confusion")
