from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from torch import nn

from hcat_nb.api.run import Run
from hcat_nb.magics.completion import add_completer, complete
from hcat_nb.registry import METHODS

VARIABLES = {
    "my_frame": pd.DataFrame({"age": [1], "with space": [2]}),
    "my_net": nn.Linear(1, 1),
    "my_run": object.__new__(Run),
}


def test_folders_of_runs_are_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "first").mkdir(parents=True)
    (tmp_path / "runs" / "first" / "run.json").touch()
    (tmp_path / "broken" / "checkpoint").mkdir(parents=True)
    for magic in ("resume", "eval"):
        found = complete(f"%hcat_{magic} ", {})
        assert found == ("", ["broken", "runs/first"])


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("%hcat_train dig", ["digits"]),
        ("run = %hcat_train my", ["my_frame"]),
        ("%%hcat_train digits --hardness u", ["uniform"]),
        ("%hcat_train digits --hardness uniform --ep", ["--epoch-mean", "--epochs"]),
        ("%hcat_train digits --model my", ["my_net"]),
        ("%hcat_train digits --methods aum el", ["el2n"]),
        ("%hcat_train my_frame --target ", ["age"]),
        ("%hcat_train digits --display s", ["static"]),
        ("%hcat_train digits --on-bad-row d", ["drop"]),
        ("%hcat_train digits --model_name le", ["lenet"]),
        ("%hcat_train digits ", []),
        ("%hcat_train digits --epochs ", []),
        ("%hcat_train digits --overwrite ", []),
        ("%hcat_train --overwrite dig", ["digits"]),
        ("%hcat_train --no-download my", ["my_frame"]),
        ("%hcat_methods -v el", ["el2n"]),
        ("%hcat_train digits --hardness zoom_shift --hardness-options st", ["strength="]),
        ("%hcat_train digits --hardness-options st", []),
        ("%hcat_perturb my", ["my_frame"]),
        ("%hcat_perturb digits --ep", []),
        ("%hcat_panel digits --model my", ["my_net"]),
        ("t = %hcat_eval my", ["my_run"]),
        ("%hcat_eval my_run --var", ["--variant"]),
        ("%hcat_eval my_run --variant h", ["hcat"]),
        ("%hcat_eval my_run ", []),
        ("%hcat_explore my", ["my_run"]),
        ("%hcat_compare my_run my", ["my_run"]),
        ("%hcat_compare my_run --methods aum el", ["el2n"]),
        ("%hcat_resume somewhere --data my", ["my_frame"]),
        ("%hcat_resume somewhere --model my", ["my_net"]),
        ("%hcat_rescore my_run --methods el", ["el2n"]),
        ("%hcat_methods aum el", ["el2n"]),
        ("%hcat_hardness uni", ["uniform"]),
        ("%hcat_datasets dig", ["digits"]),
        ("%hcat_models le", ["lenet"]),
    ],
)
def test_what_may_stand_there(line: str, expected: list[str]) -> None:
    found = complete(line, VARIABLES)
    assert found is not None
    assert found[1] == expected


def test_all_methods_are_offered() -> None:
    found = complete("%hcat_train digits --methods ", {})
    assert found is not None
    assert set(METHODS.names()) <= set(found[1])


@pytest.mark.parametrize(
    "line", ["%hcat", "x = 1", "%timeit dig", "# %hcat_train dig", "%hcat_trains "]
)
def test_other_lines_are_left_alone(line: str) -> None:
    assert complete(line, VARIABLES) is None


@pytest.mark.parametrize("use_jedi", [True, False])
def test_in_a_shell(shell: InteractiveShell, use_jedi: bool) -> None:
    shell.user_ns["my_frame"] = VARIABLES["my_frame"]
    shell.Completer.use_jedi = use_jedi

    def completed(text: str) -> list[str]:
        with provisionalcompleter():
            return [one.text for one in shell.Completer.completions(text, len(text))]

    assert completed("run = %hcat_train my") == ["my_frame"]
    assert completed("%hcat_train my_frame --hardness uni") == ["uniform"]
    assert completed("%hcat_methods el") == ["el2n"]
    assert set(completed("%hcat_per")) == {"%hcat_perturb", "%%hcat_perturb"}
    assert "print" in completed("pri")


def test_loading_twice_adds_one_completer(shell: InteractiveShell) -> None:
    count = len(shell.Completer.custom_matchers)
    add_completer(shell)
    assert len(shell.Completer.custom_matchers) == count
