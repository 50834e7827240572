"""A decision that says nothing cannot be made."""

from __future__ import annotations

import pytest

from hcat_nb.errors import SpecError
from hcat_nb.runs.review.decision import Decision


@pytest.mark.parametrize(
    ("action", "code", "message"),
    [
        ("delete", -1, "the action is 'delete'; expected one of mislabeled, relabel, drop, keep"),
        ("relabel", -1, "'relabel' without a new label"),
        ("drop", 2, "'drop' with a new label"),
    ],
)
def test_it_is_refused(action, code, message):
    with pytest.raises(SpecError, match=message):
        Decision(action, "2026-01-01T00:00:00+00:00", code)
