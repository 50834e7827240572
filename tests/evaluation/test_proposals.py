"""Another label is offered where it can be trusted, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from hcat_nb.evaluation.proposals import none_proposed, propose


def _judge(labels: np.ndarray, sure: float, n_classes: int = 4, seed: int = 0) -> np.ndarray:
    """Return probabilities that favour a label, most of all the surer the judge is."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(len(labels), n_classes))
    logits[np.arange(len(labels)), labels] += sure
    odds = np.exp(logits)
    return odds / odds.sum(axis=1, keepdims=True)


def _noisy(seed: int = 0, n: int = 1000, wrong: int = 50) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    true = rng.integers(0, 4, n)
    given = true.copy()
    rows = rng.choice(n, wrong, replace=False)
    given[rows] = (true[rows] + rng.integers(1, 4, wrong)) % 4
    return true, given


@pytest.mark.parametrize("seed", range(3))
def test_wrong_labels_are_proposed_right_and_right_ones_left_alone(seed: int) -> None:
    true, given = _noisy(seed)
    found = propose([_judge(true, 5.0, seed=seed)], given)
    offered = found.codes >= 0
    wrong = given != true
    # a judge that is right for nearly all rows: 9 of 10 errors found, 1 of 10 offers wrong
    assert (offered & wrong).sum() > 0.9 * wrong.sum()
    assert (found.codes == true)[offered].mean() > 0.9
    assert np.isnan(found.probabilities[~offered]).all()
    assert (found.probabilities[offered] > found.margin).all()


@pytest.mark.parametrize("sure", [2.0, 2.5, 3.0, 6.0])
@pytest.mark.parametrize("wrong", [50, 100, 150, 200])
def test_most_of_what_is_offered_is_right_or_nothing_is_offered(sure: float, wrong: int) -> None:
    true, given = _noisy(wrong=wrong)
    found = propose([_judge(true, sure)], given)
    offered = found.codes >= 0
    if not offered.any():
        assert "Cohen's kappa" in found.reason
        assert sure < 3.0  # of up to one wrong label in five, a good judge says which
        return
    assert (found.codes == true)[offered].mean() > 0.5
    if sure == 6.0:
        assert (offered & (given != true)).sum() > 0.9 * wrong


def test_a_judge_that_often_errs_offers_nothing_however_many_labels_are_wrong() -> None:
    true, given = _noisy(wrong=400)
    for sure, labels in ((4.0, given), (1.0, true)):  # the two look alike
        found = propose([_judge(true, sure)], labels)
        assert (found.codes == -1).all()
        assert "Cohen's kappa 0.4" in found.reason


def test_judges_are_averaged_over_those_that_say_something() -> None:
    true, given = _noisy()
    first, second = _judge(true, 5.0, seed=1), _judge(true, 5.0, seed=2)
    second[::2] = np.nan
    both = propose([first, second], given)
    mean = np.where(np.isnan(second), first, (first + second) / 2)
    assert (both.codes == propose([mean], given).codes).all()
    first[:10] = second[:10] = np.nan
    assert (propose([first, second], given).codes[:10] == -1).all()


def test_rows_without_a_label_have_no_proposal() -> None:
    true, given = _noisy()
    given[:20] = -1
    found = propose([_judge(true, 5.0)], given)
    assert (found.codes[:20] == -1).all()


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    true, given = _noisy()
    judge = _judge(true, 3.0)
    whole = propose([judge], given)
    monkeypatch.setattr("hcat_nb.evaluation.proposals._BLOCK", 7)
    parts = propose([judge], given)
    assert (whole.codes == parts.codes).all()
    assert whole.margin == parts.margin


def test_too_few_rows_and_no_judge_have_their_reason() -> None:
    few = propose([np.full((20, 2), 0.5)], np.zeros(20, dtype=int))
    assert "too few labels" in few.reason
    assert "no judge" in propose([], np.zeros(3, dtype=int)).reason
    assert (none_proposed(3, "x").codes == -1).all()
