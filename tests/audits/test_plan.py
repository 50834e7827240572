"""The plan of an audit: the largest that fits a budget."""

from __future__ import annotations

import pytest

from hcat_nb.audits.plan import CHEAP, planned, seconds_of
from hcat_nb.errors import SpecError
from hcat_nb.registry import METHODS

ALL = tuple(METHODS.names())


def forecast(names):
    return 10.0 if set(names) <= set(CHEAP) else 40.0


@pytest.mark.parametrize(
    ("budget", "seeds", "methods"),
    [
        (None, 1, ALL),
        (500, 3, ALL),
        (170, 2, ALL),
        (85, 1, ALL),
        (30, 1, tuple(name for name in ALL if name in CHEAP)),
        (1, 1, tuple(name for name in ALL if name in CHEAP)),  # the least there is
    ],
)
def test_seeds_and_methods_follow_the_budget(budget, seeds, methods):
    plan = planned(5000, None, ALL, budget, forecast)
    assert (plan.seeds, plan.copies, plan.methods) == (seeds, seeds, methods)
    assert (plan.seconds is None) == (budget is None)


def test_seeds_that_were_asked_for_are_kept():
    assert planned(5000, 2, ALL, None, forecast).seeds == 2
    assert planned(5000, 2, ALL, 90, forecast).seeds == 2


def test_small_data_take_more_copies():
    assert planned(300, None, ALL, None, forecast).copies == 4  # of 30 probes each, 100 are wanted


@pytest.mark.parametrize("budget", ["soon", "10 days", 0, -5, True])
def test_what_is_no_time_is_refused(budget):
    with pytest.raises(SpecError, match="budget is"):
        seconds_of(budget)


def test_a_budget_that_the_least_plan_does_not_keep_is_told():
    assert "budget of 1 s was too short" in planned(5000, None, ALL, 1, forecast).too_short()
    assert planned(5000, None, ALL, 500, forecast).too_short() == ""
    assert planned(5000, None, ALL, None, forecast).too_short() == ""
