"""What a panel shows to copy gives the same run."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

import hcat_nb
from hcat_nb.commands.table import MAGICS
from hcat_nb.fields import USERS_OWN
from hcat_nb.magics.parser import parse
from hcat_nb.magics.text import changed_options, magic_line, option_words, python_code
from hcat_nb.spec import RunSpec

SPECS = [
    RunSpec(),
    RunSpec.from_options(hardness={"uniform": 0.05, "zoom_shift": {"p": 0.1, "strength": 2.0}}),
    RunSpec(
        dataset="wine",
        hardness="atypical",
        p=0.25,
        hardness_options={"column": "odd name {x} $y 'z'", "strength": [0.1, 0.2]},
        methods=("aum", "cleanlab"),
        method_options={"cleanlab": {"cv": 3}, "aum": {"threshold_samples": True}},
        download=False,
        lr=3e-4,
        subset=100,
        keep_dynamics="probs",
        on_bad_row="drop",
        data_seed=7,
    ),
    RunSpec(dataset="./a folder/birds.csv", target="the kind", epochs=1),
]


def spec_words(spec: RunSpec) -> list[str]:
    """What stands for it behind a magic; the dataset comes first."""
    options = changed_options(spec)
    dataset = options.pop("dataset", spec.dataset)
    words = [] if dataset == USERS_OWN else [str(dataset)]
    return words + [one for pair in options.items() for one in option_words(*pair)]


def read(words: list[str]) -> RunSpec:
    keywords = parse(MAGICS["hcat_train"], shlex.join(words), None, {}).keywords
    return RunSpec.from_options(dataset=keywords.pop("data"), **keywords)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.dataset)
def test_words_are_read_as_the_same_spec(spec: RunSpec) -> None:
    assert read(spec_words(spec)) == spec


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.dataset)
def test_a_line_in_a_cell_gives_the_same_spec(
    spec: RunSpec, shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[dict[str, Any]] = []
    from hcat_nb.magics import magics

    monkeypatch.setitem(magics.ACTIONS, "hcat_train", lambda call, *_: heard.append(call.keywords))
    # IPython would fill in x, y and z here.
    shell.user_ns |= {"x": "filled in", "y": "filled in"}
    shell.run_cell(magic_line("%hcat_train", spec_words(spec))).raise_error()
    keywords = heard[0]
    assert RunSpec.from_options(dataset=keywords.pop("data"), **keywords) == spec


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.dataset)
def test_python_gives_the_same_spec(spec: RunSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[RunSpec] = []

    def characterize(data: Any, **options: Any) -> None:
        heard.append(RunSpec.from_options(dataset=data, **options))

    monkeypatch.setattr(hcat_nb, "characterize", characterize, raising=False)
    exec(python_code(spec, {}, {}), {})
    assert heard == [spec]


def test_python_names_variables_and_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[tuple[Any, dict[str, Any]]] = []
    monkeypatch.setattr(
        hcat_nb, "characterize", lambda data, **more: heard.append((data, more)), raising=False
    )
    code = python_code(RunSpec(), {"data": "pair[0]", "labels": "pair[1]"}, {"out": "runs/1"})
    exec(code, {"pair": ("X", "y")})
    assert heard == [("X", {"labels": "y", "out": "runs/1", "seed": 0})]
