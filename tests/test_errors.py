"""Messages of one line."""

from __future__ import annotations

import numpy as np
import pytest

from hcat_nb.errors import (
    DivergedError,
    HcatError,
    MissingDataError,
    SpecError,
    UnknownNameError,
    check_word,
    some,
)


def test_a_message_says_wrong_expected_and_remedy():
    error = HcatError("p is 2.", "at most 1", "lower it.")
    assert str(error) == "p is 2; expected at most 1; to mend it: lower it"
    assert (error.wrong, error.expected, error.remedy) == ("p is 2.", "at most 1", "lower it.")


@pytest.mark.parametrize(
    ("error", "builtin"), [(UnknownNameError, LookupError), (MissingDataError, FileNotFoundError)]
)
def test_they_are_caught_by_their_builtin_kin(error, builtin):
    with pytest.raises(builtin, match="gone"):
        raise error("gone")


def test_divergence_names_the_epoch():
    assert "epoch 3 is nan" in str(DivergedError(3, float("nan"), None))


def test_a_list_is_cut_short() -> None:
    assert some(range(3)) == "0, 1, 2"
    assert some(range(1009)) == "0, 1, 2, 3, 4, 5 and 1,003 more"


def test_a_table_in_a_message_stays_in_its_line() -> None:
    error = HcatError(f"epochs is {np.eye(3)!r}", "a whole number")
    assert "\n" not in str(error)
    assert "array([[1., 0., 0.], [0., 1., 0.]" in str(error)


@pytest.mark.parametrize("value", ["c", 3, None, [], np.array(["a", "b"]), np.array("a")])
def test_a_word_is_one_of_those_that_are_known(value: object) -> None:
    check_word("letter", "a", ("a", "b"))
    with pytest.raises(SpecError, match=r"letter is .*; expected one of a, b"):
        check_word("letter", value, ("a", "b"))
