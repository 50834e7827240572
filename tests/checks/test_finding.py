from __future__ import annotations

import pytest

from hcat_nb.checks.finding import LOOK, SEVERE, Finding, leave_out


def test_a_finding_is_one_line_with_its_price_and_its_remedy() -> None:
    found = Finding("leak", SEVERE, "'a' tells the class", "exclude='a'", ".99 with it")
    assert str(found) == "severe: 'a' tells the class (.99 with it); to mend it: exclude='a'"
    assert str(Finding("blank", LOOK, "two")) == "worth a look: two"


@pytest.mark.parametrize("names", [["a", "b"], ["patient id"], ["found"], ["a,b"]])
def test_what_no_line_holds_as_one_word_is_left_out_as_found(names: list[str]) -> None:
    assert leave_out(names) == "exclude='found'"
