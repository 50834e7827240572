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
    found = propose([_judge(true, 5.0, seed=seed)], given, seed)
    offered = found.codes >= 0
    wrong = given != true
    # a judge that is right for nearly all rows: 9 of 10 errors found, 1 of 10 offers wrong
    assert (offered & wrong).sum() > 0.9 * wrong.sum()
    assert (found.codes == true)[offered].mean() > 0.9
    assert np.isnan(found.probabilities[~offered]).all()
    assert (found.probabilities[offered] > found.margin).all()


def test_a_weak_judge_offers_less_than_the_bare_rule_and_more_rightly() -> None:
    true, given = _noisy()
    judge = _judge(true, 2.0)
    found = propose([judge], given, 0)
    offered = found.codes >= 0
    bare = judge.argmax(axis=1) != given
    right = (found.codes == true)[offered].mean() if offered.any() else 1.0
    assert offered.sum() < bare.sum() / 2
    assert right > (judge.argmax(axis=1) == true)[bare & (given != true)].size / bare.sum()


def test_a_judge_that_knows_nothing_offers_nothing() -> None:
    _, given = _noisy()
    rng = np.random.default_rng(3)
    found = propose([rng.dirichlet(np.ones(4), 1000)], given, 0)
    assert (found.codes == -1).all()
    assert "too many labels are doubted" in found.reason


def test_judges_are_averaged_over_those_that_say_something() -> None:
    true, given = _noisy()
    first, second = _judge(true, 5.0, seed=1), _judge(true, 5.0, seed=2)
    second[::2] = np.nan
    both = propose([first, second], given, 0)
    mean = np.where(np.isnan(second), first, (first + second) / 2)
    assert (both.codes == propose([mean], given, 0).codes).all()
    first[:10] = second[:10] = np.nan
    assert (propose([first, second], given, 0).codes[:10] == -1).all()


def test_rows_without_a_label_and_the_seed() -> None:
    true, given = _noisy()
    given[:20] = -1
    found = propose([_judge(true, 5.0)], given, 0)
    assert (found.codes[:20] == -1).all()
    again = propose([_judge(true, 5.0)], given, 0)
    assert (found.codes == again.codes).all()
    assert found.margin == again.margin


def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    true, given = _noisy()
    judge = _judge(true, 3.0)
    whole = propose([judge], given, 0)
    monkeypatch.setattr("hcat_nb.evaluation.proposals._BLOCK", 7)
    parts = propose([judge], given, 0)
    assert (whole.codes == parts.codes).all()
    assert whole.margin == parts.margin


def test_too_few_rows_and_no_judge_have_their_reason() -> None:
    few = propose([np.full((20, 2), 0.5)], np.zeros(20, dtype=int), 0)
    assert "too few labels" in few.reason
    assert "no judge" in propose([], np.zeros(3, dtype=int), 0).reason
    assert (none_proposed(3, "x").codes == -1).all()
