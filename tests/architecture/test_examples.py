"""Each public call has an example that runs, or says why there is none."""

from __future__ import annotations

import ast
import doctest
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

import hcat_nb
from hcat_nb.api.record import Recorder
from hcat_nb.api.run import Run
from hcat_nb.api.watch import Watch
from hcat_nb.audits.outcome import Audit
from hcat_nb.runs.review.decisions import Decisions

# What shows the methods of a class that only one function makes.
MAKERS = {Recorder: hcat_nb.record, Watch: hcat_nb.watch}
# What reads back what a class writes, and is shown with it; its docstring says so.
READERS = {"load_run": Run, "load_audit": Audit}


def _code(owner: Any) -> str:
    """Return the code of the examples in a docstring; the doctest collector runs it."""
    examples = doctest.DocTestParser().get_examples(inspect.getdoc(owner) or "")
    return "".join(example.source for example in examples)


def _shown(use: str, *owners: Any) -> bool:
    """Return whether an example has the use, or the docstring of the first says why none has."""
    text = " ".join((inspect.getdoc(owners[0]) or "").split())
    if re.search(r"No example here(, since|: it needs) ", text):
        return True
    return any(re.search(rf"{use}\b", _code(owner)) for owner in owners)


def _functions() -> dict[str, Any]:
    stub = Path(hcat_nb.__file__).with_suffix(".pyi").read_text()
    names = [
        alias.name
        for node in ast.parse(stub).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]
    found = {name: getattr(hcat_nb, name) for name in names}
    return {name: one for name, one in found.items() if inspect.isfunction(one)}


def _methods(owner: type) -> dict[str, Any]:
    found = {}
    for name in dir(owner):
        one = inspect.getattr_static(owner, name)
        one = one.fget if isinstance(one, property) else getattr(one, "__func__", one)
        if not name.startswith("_") and inspect.isfunction(one):
            found[name] = one
    return found


def test_functions_are_shown() -> None:
    functions = _functions()
    assert "characterize" in functions
    for name, owner in READERS.items():
        says = f"The example of :class:`{owner.__name__}` shows it."
        assert says in inspect.getdoc(functions[name])
    missing = [
        name for name, one in functions.items() if not _shown(rf"\b{name}", one, READERS.get(name))
    ]
    assert missing == []


@pytest.mark.parametrize("owner", [Run, Audit, Decisions, Watch, Recorder])
def test_methods_are_shown(owner: type) -> None:
    methods = _methods(owner)
    maker = [MAKERS[owner]] if owner in MAKERS else []
    missing = [
        name for name, one in methods.items() if not _shown(rf"\.{name}", one, owner, *maker)
    ]
    assert methods
    assert missing == []


def test_a_call_without_either_is_found() -> None:
    def bare() -> None:
        """Return nothing, and show nothing."""

    assert not _shown(r"\bbare", bare)


# -- what docstrings refer to ----------------------------------------------------------------------


def test_docstrings_name_no_file_that_is_not_here(repository: Path) -> None:
    names = {path.name for path in repository.rglob("*.md") if ".venv" not in path.parts}
    said = {
        f"{path.relative_to(repository)}: {name}"
        for path in [*(repository / "hcat_nb").rglob("*.py"), *(repository / "tests").rglob("*.py")]
        for name in re.findall(r"\b[A-Z][A-Z_]+\.md\b", path.read_text())
        if name not in names
    }
    assert said == set()


def test_notebooks_that_docstrings_name_exist(repository: Path) -> None:
    paths = {
        path
        for module in [
            *(repository / "hcat_nb").rglob("*.py"),
            *(repository / "tests").rglob("*.py"),
        ]
        for path in re.findall(r"``(notebooks/[\w/.]+)``", module.read_text())
    }
    assert paths
    assert [path for path in sorted(paths) if not (repository / path).exists()] == []
