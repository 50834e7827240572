"""The manners of the command: help in parts, completion, JSON, silence and exit codes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

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


@pytest.mark.parametrize("line", LINES)
def test_help_always_shows_what_stands_without_a_name(
    line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    short = _help(line, "-h", capsys)
    for one in LINES[line].of("line"):
        if one.positional:
            assert one.line.get("help", one.help) in " ".join(short.split())


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

# A line of each command, as far as it takes but a moment or two.
READ = {
    "run": TINY,
    "run --dry-run": [*TINY, "--dry-run"],
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
    "apply": ["apply", "DECISIONS", "TABLE", "--target", "kind", "--out", "NEW", "--overwrite"],
    "sweep": ["sweep", "PLAN"],
    "sweep --dry-run": ["sweep", "PLAN", "--dry-run"],
}
# What needs more than a moment, or a run that was stopped, and where it is tried.
ELSEWHERE = {"resume", "report", "demo"}


def test_all_commands_have_both() -> None:
    for command in LINES.values():
        assert {"json", "quiet"} <= {one.key for one in command.of("line")}
    assert {line.partition(" ")[0] for line in READ} | ELSEWHERE == LINES.keys()


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory, saved: str) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("files")
    (folder / "table.csv").write_text("a,kind\n" + "1,elm\n2,oak\n" * 4)
    (folder / "decisions.csv").write_text("sample_id,action,new_label\n0,relabel,oak\n3,drop,\n")
    base = {"dataset": "wine", "epochs": 1, "methods": ["el2n"], "judges": False}
    plan = {"base": base, "grid": {"model_seed": [0, 1]}, "out": str(folder / "sweep")}
    (folder / "plan.yaml").write_text(json.dumps(plan))
    files = {"DECISIONS": "decisions.csv", "TABLE": "table.csv", "NEW": "new.csv"}
    files |= {"PLAN": "plan.yaml"}
    return {"RUN": saved, **{word: str(folder / name) for word, name in files.items()}}


def _documented(repository: Path) -> dict[str, set[str]]:
    """Return, by line, the keys that the reference says its JSON has."""
    page = (repository / "notebooks/docs/reference.md").read_text()
    rows = re.findall(r"^\| (`hcat .+`) \| (.+) \|$", page, re.MULTILINE)
    return {
        line: set(re.findall(r"`(\w+)`", keys))
        for lines, keys in rows
        for line in re.findall(r"`hcat ([^`]+)`", lines)
    }


def test_the_reference_has_the_keys_of_all(repository: Path) -> None:
    assert _documented(repository).keys() == READ.keys() | ELSEWHERE


def _strict(text: str) -> Any:
    """Return what a JSON document says; NaN, which is none, fails."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize(
    "line", [pytest.param(one, marks=[pytest.mark.slow] * (one == "sweep")) for one in READ]
)
def test_json_is_json_and_quiet_is_silent(
    line: str,
    places: dict[str, str],
    repository: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = [places.get(word, word) for word in READ[line]]
    status = main([*words, "--json"])
    told = _strict(capsys.readouterr().out)
    keys = set(told[0] if isinstance(told, list) else told)
    assert keys
    assert keys <= _documented(repository)[line]
    if line == "rescore":  # the second time there is nothing to add
        words = ["rescore", places["RUN"], "--methods", "cleanlab"]
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)  # where bars are drawn
    assert main([*words, "--quiet"]) == status
    assert capsys.readouterr() == ("", "")


def test_json_holds_what_the_text_says(saved: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["evaluate", saved, "--no-baselines"])
    printed = capsys.readouterr().out
    main(["evaluate", saved, "--no-baselines", "--json"])
    for row in _strict(capsys.readouterr().out):
        assert re.search(rf"{row['hcm']} .*{row['auroc']:.4f}", printed)


def test_apply_tells_each_change(
    places: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    main([*(places.get(word, word) for word in READ["apply"]), "--json"])
    told = _strict(capsys.readouterr().out)
    changed = {one["id"]: (one["old"], one["new"], one["reason"]) for one in told["changes"]}
    assert changed == {"0": ("elm", "oak", "relabel"), "3": ("oak", "", "drop")}
    assert Path(told["file"]).is_file()
    assert Path(told["log"]).is_file()


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


def test_the_first_help_names_each_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    said = " ".join(capsys.readouterr().out.partition("Exit codes: ")[2].split())
    assert re.findall(r"(?:^|; )(\d+) ", said) == ["0", "1", "2", "130"]
