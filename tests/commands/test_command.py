"""A command has two faces, made from one entry."""

from __future__ import annotations

from hcat_nb.arguments import OptionParser
from hcat_nb.commands.command import Command, Own

WORDS = Own("words", "what to join", settings={"nargs": "?"}, line={"nargs": None})
LOUD = Own("--loud", "in capitals", flag=True, only="line")
NAME = Own("--name", "variable", only="magic")
JOIN = Command("Join words.", "os.path:join", magic="join", line="join", arguments=(WORDS, LOUD))


def test_a_key_is_the_name_as_a_keyword() -> None:
    assert Own("--dry-run", "").key == "dry_run"
    assert Own("run", "").positional


def test_each_face_has_its_own_arguments_beside_the_shared() -> None:
    command = Command("", "os:getcwd", arguments=(WORDS, LOUD, NAME))
    assert [one.name for one in command.of("line")] == [*("words", "--loud", "--json", "--quiet")]
    assert [one.name for one in command.own] == ["words", "--name"]


def test_it_calls_what_it_names() -> None:
    import os

    assert JOIN.function() is os.path.join


def test_settings_of_the_line_replace_those_of_the_magic() -> None:
    line = OptionParser()
    JOIN.fill(line, "line")
    assert line.parse(["a", "--loud"]).own_loud is True
    assert JOIN.parser().parse([]).own_words is None
