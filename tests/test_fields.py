"""How fields of RunSpec are declared and checked."""

from __future__ import annotations

import dataclasses

import pytest

from hcat_nb.errors import SpecError
from hcat_nb.fields import field_choices
from hcat_nb.spec import RunSpec


def test_choices_never_offer_the_word_for_objects():
    for item in dataclasses.fields(RunSpec):
        assert "own" not in field_choices(item)


@pytest.mark.parametrize("name", ["on_bad_row", "observe", "epoch_mean", "hardness", "variant"])
def test_what_is_no_text_is_told_which_words_there_are(name):
    choices = field_choices(next(one for one in dataclasses.fields(RunSpec) if one.name == name))
    with pytest.raises(
        SpecError, match=f"{name} is 2.5; expected one of {choices[0]}, {choices[1]}"
    ):
        RunSpec(**{name: 2.5})
