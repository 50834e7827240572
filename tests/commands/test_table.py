from __future__ import annotations

import dataclasses
import re

import pytest

from hcat_nb.api.listing import KINDS
from hcat_nb.cli import _ACTIONS
from hcat_nb.commands.table import COMMANDS, DATA_FIELDS, FIELDS, LINES, MAGICS
from hcat_nb.errors import UnknownNameError
from hcat_nb.magics.magics import ACTIONS
from hcat_nb.spec import RunSpec


def test_each_command_has_its_action() -> None:
    assert set(MAGICS) == set(ACTIONS)


def test_training_and_its_panel_know_every_field() -> None:
    fields = {item.name for item in dataclasses.fields(RunSpec)}
    assert set(FIELDS) == fields
    assert set(MAGICS["hcat_train"].fields) == set(MAGICS["hcat_panel"].fields) == fields
    assert set(DATA_FIELDS) < fields


@pytest.mark.parametrize("name", MAGICS)
def test_help_names_every_argument(name: str) -> None:
    command = MAGICS[name]
    text = command.parser().format_help()
    for one in command.own:
        assert (one.key if one.positional else one.name) in text
    for field in command.fields:
        assert field.replace("_", "-") in text
    assert ("YAML" in text) is command.cell
    assert not re.search(r"%%%|==SUPPRESS==", text)


def test_values_are_kinds_that_completion_knows() -> None:
    known = {"", "run", "data", "model", "folder", *KINDS}
    assert {one.values for command in MAGICS.values() for one in command.own} <= known


def test_fields_of_others_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="--epochs"):
        MAGICS["hcat_perturb"].parser().parse(["digits", "--epochs", "3"])


def test_what_each_command_calls_is_there() -> None:
    for command in COMMANDS:
        assert callable(command.function()), command.calls


def test_each_command_of_the_line_has_its_action() -> None:
    assert set(LINES) == set(_ACTIONS)


def test_two_faces_of_a_command_have_the_same_options() -> None:
    shared = [command for command in COMMANDS if command.magic and command.line]
    assert len(shared) > 5
    for command in shared:
        mine, theirs = ({one.key for one in command.of(face)} for face in ("line", "magic"))
        # Who is at a terminal has no variables; who is in a notebook reads no log there.
        only = {"name", "display", "data", "model", "hardest", "verbose", "log_file", "json"} | {
            "quiet"
        }
        assert mine ^ theirs <= only
