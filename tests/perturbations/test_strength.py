from __future__ import annotations

import numpy as np
import pytest

from hcat_nb.errors import SpecError
from hcat_nb.perturbations._strength import check_variant, checked, drawn, levels


@pytest.mark.parametrize("value", [0.5, np.float32(0.5), 2])
def test_a_number_stays_one(value):
    assert checked(value, "strength", 0) == float(value)
    assert levels(checked(value, "strength", 0)) == (float(value),)


def test_a_list_becomes_a_tuple_so_that_the_perturbation_stays_hashable():
    assert checked([1, 2], "strength", 0) == (1.0, 2.0)
    assert checked(np.array([1, 2]), "strength", 0) == (1.0, 2.0)


@pytest.mark.parametrize(
    "value", [0, -1, float("nan"), float("inf"), "0.5", None, True, [], [0.5, 0], ["a"], 1.0]
)
def test_what_is_no_strength(value):
    with pytest.raises(SpecError, match=r"strength is .*expected a number"):
        checked(value, "strength", 0, 1)


def test_the_lower_bound_may_be_allowed():
    assert checked(0, "noise", 0, low_allowed=True) == 0.0
    with pytest.raises(SpecError, match="of at least 0"):
        checked(-0.1, "noise", 0, low_allowed=True)


def test_a_list_is_drawn_from_evenly():
    values = drawn((1.0, 2.0, 4.0), 9000, np.random.default_rng(0))
    # Binomial(9000, 1/3): sd 45; 4 sd.
    for level in (1.0, 2.0, 4.0):
        assert abs((values == level).sum() - 3000) < 180


def test_a_single_number_uses_no_randomness():
    rng = np.random.default_rng(0)
    assert drawn(0.5, 3, rng).tolist() == [0.5] * 3
    assert rng.random() == np.random.default_rng(0).random()


def test_variants():
    check_variant("hcat")
    with pytest.raises(SpecError, match="variant is 'h-cat'; expected one of paper, hcat"):
        check_variant("h-cat")
