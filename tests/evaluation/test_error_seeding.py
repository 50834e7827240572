"""Counts by error seeding: coverage where planted errors are like the others, and the rules."""

from __future__ import annotations

import numpy as np
import pytest

from hcat_nb.errors import SpecError
from hcat_nb.evaluation.error_seeding import Remaining, may_stop, next_batch, remaining


@pytest.mark.parametrize("n_errors", [20, 100])
def test_the_interval_holds_what_remains(n_errors):
    """At least 90 % of 200 reviews, for planted errors are exactly as hard to find here."""
    rng = np.random.default_rng(0)
    held = 0
    for one in range(200):
        found = int(rng.binomial(n_errors, 0.6))
        passed = int(rng.binomial(100, 0.6))
        left = remaining(found, passed, 100, seed=one)
        held += left.low <= n_errors - found <= left.high
    assert held >= 180


def test_more_planted_ones_passed_leave_less():
    few, most = remaining(40, 40, 100), remaining(40, 95, 100)
    assert most.estimate < few.estimate
    assert most.high < few.high
    assert 40 < few.estimate < 90  # about 60, where 40 of 100 are passed


def test_nothing_is_said_before_three_are_passed():
    assert remaining(5, 2, 100).high is None
    assert "not known yet" in str(remaining(5, 2, 100))
    assert "remain" in str(remaining(5, 3, 100))


def test_what_was_found_elsewhere_remains_no_more():
    left, less = remaining(40, 60, 100), remaining(40, 60, 100, elsewhere=10)
    assert less.estimate == left.estimate - 10
    assert less.found == 50
    assert remaining(3, 100, 100, elsewhere=10).low == 0


def test_more_cannot_be_passed_than_planted():
    with pytest.raises(SpecError, match="11 of 10 planted"):
        remaining(1, 11, 10)


def test_one_good_look_is_not_enough_to_stop():
    good, bad = Remaining(90, 2.0, 0.0, 9.0), Remaining(90, 5.0, 1.0, 20.0)
    assert may_stop(good, good)
    assert not may_stop(good, bad)
    assert not may_stop(bad, good)
    assert not may_stop(good, Remaining(90))


def test_the_next_batch_follows_the_trend_and_keeps_a_band():
    falling = [True] * 50 + [True, False] * 50 + [False] * 150
    expected, most = next_batch(falling)
    assert expected < 1 < most < 5
    nothing, at_most = next_batch([False] * 300)
    assert nothing < 1
    assert 2 < at_most < 5  # 50 times the 95 % bound of 0 in 30: 3.1
    everything, all_of_them = next_batch([True] * 40)
    assert everything > 45
    assert all_of_them <= 50
    assert next_batch([])[1] == 50
