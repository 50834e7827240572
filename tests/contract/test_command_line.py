"""The manners of the command: help in parts, completion, JSON, silence and exit codes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hcat_nb.api.doctor import Finding
from hcat_nb.cli import main
from hcat_nb.commands.table import LINES
from hcat_nb.registry import MODELS
from hcat_nb.runs.execution.bar import TerminalBar

TINY = ["run", "wine", "--epochs", "1", "--methods", "el2n", "--no-judges", "--hardness", "uniform"]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = str(tmp_path_factory.mktemp("runs") / "one")
    assert main([*TINY, "--keep-dynamics", "logits", "--out", folder, "--quiet"]) == 0
    return folder


def _help(line: str, option: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as left:
        main([line, option])
    assert left.value.code == 0
    return capsys.readouterr().out


# -- help ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", ["run", "audit", "check"])
def test_help_begins_with_what_one_needs(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    short, whole = _help(line, "-h", capsys), _help(line, "--help-all", capsys)
    shown = set(re.findall(r"^  (--[\w-]+)", short, re.MULTILINE))
    assert len(shown) <= 13
    assert "--target" in shown
    assert shown < set(re.findall(r"^  (--[\w-]+)", whole, re.MULTILINE))
    hidden = int(re.search(r"(\d+) further options: --help-all", short)[1])
    assert hidden > 10
    assert "further options" not in whole
    for part in ("data:", "reading data:"):
        assert f"\n{part}" in whole


def test_help_of_few_options_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--help-all" not in _help("evaluate", "-h", capsys)


def test_choices_stand_in_place_of_a_type(capsys: pytest.CaptureFixture[str]) -> None:
    whole = _help("run", "--help-all", capsys)
    assert "--on-bad-row {error,drop,keep}" in whole
    assert not re.search(r"\bSTR\b", whole)


# -- completion ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("hcat aud", {"audit"}),
        ("hcat run digits --mo", {"--model", "--model-options", "--model-seed"}),
        ("hcat run digits --model ", set(MODELS.names()) | {"auto"}),
        ("hcat run digits --on-bad-row d", {"drop"}),
        ("hcat run dig", {"digits"}),
    ],
)
def test_a_shell_completes(typed: str, expected: set[str], tmp_path: Path) -> None:
    out = tmp_path / "words"
    environment = {"_ARGCOMPLETE": "1", "_ARGCOMPLETE_IFS": "\n", "COMP_LINE": typed}
    environment |= {"COMP_POINT": str(len(typed)), "_ARGCOMPLETE_STDOUT_FILENAME": str(out)}
    subprocess.run([sys.executable, "-m", "hcat_nb"], env={**os.environ, **environment}, check=True)
    assert expected <= {word.strip() for word in out.read_text().splitlines()}


# -- JSON and silence ------------------------------------------------------------------------------

READ = {
    "run": TINY,
    "audit": ["audit", "wine", "--epochs", "1", "--methods", "el2n"],
    "check": ["check", "wine"],
    "methods": ["methods"],
    "hardness": ["hardness"],
    "datasets": ["datasets", "wine"],
    "models": ["models"],
    "doctor": ["doctor"],
    "self-check": ["self-check"],
    "evaluate": ["evaluate", "RUN"],
    "rescore": ["rescore", "RUN", "--methods", "loss"],
    "results": ["results", "RUN"],
}
# What needs more than a moment, or files of its own, and where it is tried.
ELSEWHERE = {"resume", "apply", "sweep", "report", "demo"}


def test_all_commands_have_both() -> None:
    for command in LINES.values():
        assert {"json", "quiet"} <= {one.key for one in command.of("line")}
    assert READ.keys() | ELSEWHERE == LINES.keys()


@pytest.mark.parametrize("line", READ)
def test_json_is_json_and_quiet_is_silent(
    line: str, saved: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [saved if word == "RUN" else word for word in READ[line]]
    status = main([*words, "--json"])
    told = json.loads(capsys.readouterr().out)
    assert told
    if line == "rescore":  # the second time there is nothing to add
        words = ["rescore", saved, "--methods", "cleanlab"]
    assert main([*words, "--quiet"]) == status
    assert capsys.readouterr().out == ""


def test_json_holds_what_the_text_says(saved: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["evaluate", saved, "--no-baselines"])
    printed = capsys.readouterr().out
    main(["evaluate", saved, "--no-baselines", "--json"])
    for row in json.loads(capsys.readouterr().out):
        assert re.search(rf"{row['hcm']} .*{row['auroc']:.4f}", printed)


# -- exit codes ------------------------------------------------------------------------------------


def test_0_where_all_is_well(saved: str) -> None:
    assert main(["evaluate", saved, "-q"]) == 0


def test_1_where_something_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Finding("torch", "wrong", "is not installed")
    monkeypatch.setattr("hcat_nb.api.doctor.doctor", lambda: [broken])
    assert main(["doctor", "-q"]) == 1


def test_2_after_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "wine", "--p", "2", "-q"]) == 2
    assert capsys.readouterr().err.startswith("hcat: p is 2.0")


def test_130_where_ctrl_c_ended_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(self: TerminalBar, event: object) -> None:
        signal.raise_signal(signal.SIGINT)

    out = str(tmp_path / "run")
    with monkeypatch.context() as patch:
        patch.setattr(TerminalBar, "on_epoch", interrupted)
        words = ["run", "wine", "--epochs", "50", "--methods", "el2n", "--out", out]
        assert main(words) == 130
        assert f"`hcat resume {out}` goes on from there" in capsys.readouterr().out
        patch.setattr(TerminalBar, "on_step", interrupted)
        assert main(["run", "wine", "--epochs", "50", "--methods", "el2n"]) == 130
    assert "stopped before its first epoch ended" in capsys.readouterr().err
    assert main(["resume", out, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["outcome"] == "finished"


def test_the_reference_names_each_code(repository: Path) -> None:
    page = (repository / "notebooks/docs/reference.md").read_text()
    assert re.findall(r"^\| (\d+) \|", page, re.MULTILINE) == ["0", "1", "2", "130"]
