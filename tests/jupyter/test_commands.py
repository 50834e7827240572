from __future__ import annotations

import dataclasses
import re

import pytest

from hcat_nb.errors import UnknownNameError
from hcat_nb.jupyter.commands import COMMANDS, DATA_FIELDS, FIELDS, Own
from hcat_nb.jupyter.magics import ACTIONS
from hcat_nb.runs.listing import KINDS
from hcat_nb.spec import RunSpec


def test_each_command_has_its_action() -> None:
    assert set(COMMANDS) == set(ACTIONS)


def test_training_and_its_panel_know_every_field() -> None:
    fields = {item.name for item in dataclasses.fields(RunSpec)}
    assert set(FIELDS) == fields
    assert set(COMMANDS["hcat_train"].fields) == set(COMMANDS["hcat_panel"].fields) == fields
    assert set(DATA_FIELDS) < fields


@pytest.mark.parametrize("name", COMMANDS)
def test_help_names_every_argument(name: str) -> None:
    command = COMMANDS[name]
    text = command.parser().format_help()
    for one in command.own:
        assert (one.key if one.positional else one.name) in text
    for field in command.fields:
        assert field.replace("_", "-") in text
    assert ("YAML" in text) is command.cell
    assert not re.search(r"%%%|==SUPPRESS==", text)


def test_values_are_kinds_that_completion_knows() -> None:
    known = {"", "run", "data", "model", "folder", *KINDS}
    assert {one.values for command in COMMANDS.values() for one in command.own} <= known


def test_fields_of_others_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="--epochs"):
        COMMANDS["hcat_perturb"].parser().parse(["digits", "--epochs", "3"])


def test_a_key_is_the_name_as_a_keyword() -> None:
    assert Own("--dry-run", "").key == "dry_run"
    assert Own("run", "").positional
