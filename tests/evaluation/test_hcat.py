"""H-CAT's evaluator: figures derived by hand, and scikit-learn called as it calls it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score

from hcat_nb.errors import SpecError
from hcat_nb.evaluation.hcat import LOW_IS_HARD, hcat_average_precision, low_is_hard
from hcat_nb.evaluation.table import COLUMNS, evaluate

N = 20_000
# By the formula in the head of hcat_nb/evaluation/hcat.py: the AUPRC of a perfect score that is
# high for hard samples, and of a random one.
PUBLISHED = [(0.1, 0.744, 0.9), (0.25, 0.538, 0.75), (0.5, 0.307, 0.5)]


def world(p: float) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(0)
    hard = np.zeros(N, dtype=bool)
    hard[rng.choice(N, int(p * N), replace=False)] = True
    perfect = rng.random(N) + 2 * hard
    return pd.DataFrame({"loss": perfect, "aum": perfect, "el2n": rng.random(N)}), hard


@pytest.mark.parametrize(("p", "perfect", "random"), PUBLISHED)
def test_the_figures_of_methods_md(p, perfect, random):
    scores, hard = world(p)
    table = evaluate(scores, hard, variant="hcat", n_resamples=0).set_index("hcm")
    assert round(table.auprc["loss"], 3) == perfect
    assert table.auprc["aum"] == 1.0
    # sd of a random AP, from 200 draws: at most .004 at these sizes; 4 sd.
    assert abs(table.auprc["el2n"] - random) < 0.016
    assert table.auprc_lift["loss"] == pytest.approx(table.auprc["loss"] / (1 - p), rel=1e-12)
    ours = evaluate(scores, hard, n_resamples=0).set_index("hcm")
    assert ours.auprc["loss"] == ours.auprc["aum"] == 1.0
    others = [name for name in COLUMNS if not name.startswith("auprc") and name != "hcm"]
    pd.testing.assert_frame_equal(table[others], ours[others])


def test_as_scikit_learn_would_be_called():
    rng = np.random.default_rng(1)
    hard = rng.random(500) < 0.2
    scores = np.round(rng.normal(size=500) + hard, 1)  # with ties
    for low in (False, True):
        expected = average_precision_score(~hard, -scores if low else scores)
        # Sums in another order: a few units in the last place.
        found = hcat_average_precision(scores, hard, low_when_hard=low)
        assert found == pytest.approx(expected, abs=1e-12)


def test_intervals_are_those_of_its_figure():
    scores, hard = world(0.1)
    part = scores.iloc[:2000] + np.random.default_rng(2).normal(size=(2000, 3))
    table = evaluate(part, hard[:2000], variant="hcat", n_resamples=200)
    assert (table.auprc_low < table.auprc).all()
    assert (table.auprc < table.auprc_high).all()


def test_a_method_turned_by_its_variant_has_its_sign():
    assert low_is_hard([]) == LOW_IS_HARD
    assert low_is_hard(["vog", "loss", "allsh"]) == LOW_IS_HARD | {"vog", "allsh"}
    scores, hard = world(0.1)
    vog = scores[["loss"]].set_axis(["vog"], axis=1)
    plain = evaluate(vog, hard, variant="hcat", n_resamples=0)
    turned = evaluate(vog, hard, variant="hcat", low_is_hard=low_is_hard(["vog"]), n_resamples=0)
    assert round(plain.auprc[0], 3) == 0.744
    assert turned.auprc[0] == 1.0


def test_an_unknown_variant():
    with pytest.raises(SpecError, match="variant is 'h-cat'; expected one of paper, hcat"):
        evaluate(*world(0.1), variant="h-cat")
