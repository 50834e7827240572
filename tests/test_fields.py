"""How fields of RunSpec are declared and checked."""

from __future__ import annotations

import dataclasses

from hcat_nb.fields import field_choices
from hcat_nb.spec import RunSpec


def test_choices_never_offer_the_word_for_objects():
    for item in dataclasses.fields(RunSpec):
        assert "own" not in field_choices(item)
