"""alt_prob against its definition, from the logits that a run kept."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

import hcat_nb as hcat
from hcat_nb.errors import SpecError
from hcat_nb.methods.alt_prob import AltProb


@pytest.mark.parametrize("epochs", ["all", "second_half"])
def test_it_is_the_largest_mean_of_another_class(epochs):
    run = hcat.characterize(
        *("wine",),
        methods="alt_prob",
        method_options={"alt_prob": {"epochs": epochs}},
        epochs=4,
        keep_dynamics="logits",
        seed=0,
    )
    counted = range(1, 5) if epochs == "all" else (3, 4)
    each = [softmax(run.logits.epoch(e).drop(columns="position"), axis=1) for e in counted]
    mean = np.mean(each, axis=0)
    labels = run.details["label"].cat.codes.to_numpy()
    mean[np.arange(len(mean)), labels] = 0
    np.testing.assert_allclose(run.scores["alt_prob"], mean.max(axis=1), atol=1e-6)  # float32


def test_an_unknown_choice_of_epochs_is_refused():
    with pytest.raises(SpecError, match=r"alt_prob\.epochs is 'last'"):
        AltProb(epochs="last")
