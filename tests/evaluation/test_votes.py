"""Scores are compared with how far people disagree about a sample."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import entropy, spearmanr

from hcat_nb.errors import DataError, SpecError
from hcat_nb.evaluation.votes import disagreement, evaluate_votes

IDS = [f"s{k}" for k in range(60)]


def _votes() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The same votes of five people, by person and by class."""
    rng = np.random.default_rng(0)
    doubt = np.linspace(0, 1, 60)[:, None]
    codes = np.where(rng.random((60, 5)) < doubt, rng.integers(0, 3, (60, 5)), 0)
    labels = pd.DataFrame(np.array(["cat", "dog", "owl"], object)[codes], IDS)
    counts = np.stack([(codes == k).sum(1) for k in range(3)], axis=1)
    return labels, pd.DataFrame(counts, IDS, columns=["cat", "dog", "owl"])


def test_figures_are_those_of_scipy_in_either_form_and_any_order() -> None:
    labels, counts = _votes()
    rng = np.random.default_rng(1)
    scores = pd.DataFrame(
        {"position": range(60), "el2n": rng.random(60), "loss": np.arange(60.0)}, IDS
    )
    found = evaluate_votes(scores, labels.sample(frac=1, random_state=0), form="labels")
    truth = entropy(counts.to_numpy(), axis=1)
    np.testing.assert_allclose(disagreement(counts, "counts"), truth, atol=1e-12)  # rounding
    expected = [spearmanr(scores[name], truth).statistic for name in ("el2n", "loss")]
    assert found["hcm"].tolist() == ["el2n", "loss"]
    np.testing.assert_allclose(found["spearman"], expected, atol=1e-12)
    assert (found["low"] < found["spearman"]).all()
    assert (found["spearman"] < found["high"]).all()
    assert found["low"][1] > 0 > found["low"][0]
    pd.testing.assert_frame_equal(found, evaluate_votes(scores, counts, form="counts"))


def _drawn(n: int, rng: np.random.Generator) -> pd.Series:
    """Fifteen people who are more or less sure, and a score that knows it but for some noise."""
    sure = rng.random(n)
    counts = rng.binomial(15, 0.5 + sure / 2)
    score = pd.DataFrame({"x": -sure + rng.normal(0, 0.3, n)})
    return evaluate_votes(score, pd.DataFrame({"a": counts, "b": 15 - counts}), form="counts").loc[
        0
    ]


def test_the_interval_holds_the_correlation_of_the_population_as_often_as_it_says() -> None:
    rng = np.random.default_rng(2)
    true = _drawn(100_000, rng)["spearman"]
    drawn = [_drawn(100, rng) for _ in range(300)]
    inside = sum(row["low"] < true < row["high"] for row in drawn)
    assert 273 < inside < 297  # 285 are expected; 12 are three standard deviations


def test_one_vote_is_no_disagreement_and_mistakes_are_told() -> None:
    labels, counts = _votes()
    labels.iloc[:7, 1:] = None
    scores = pd.DataFrame({"loss": np.arange(60.0)}, IDS)
    (row,) = evaluate_votes(scores, labels, form="labels").itertuples()
    assert (row.n, row.n_missing) == (53, 7)
    (row,) = evaluate_votes(scores, counts * 0 + 2, form="counts").itertuples()
    assert np.isnan(row.spearman)
    assert row.note
    with pytest.raises(DataError, match=r"hold what is no count.*form=.labels"):
        evaluate_votes(scores, labels, form="counts")
    with pytest.raises(DataError, match="no count"):
        evaluate_votes(scores, counts - 1, form="counts")
    with pytest.raises(DataError, match="has no score"):
        evaluate_votes(scores, counts.rename({"s3": "t3"}), form="counts")
    with pytest.raises(SpecError, match="form"):
        evaluate_votes(scores, counts, form="shares")  # type: ignore[arg-type]
