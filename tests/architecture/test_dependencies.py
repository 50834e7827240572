"""What the package imports, it asks for; what it asks for, it imports."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

# Asked for without being imported, each with the reason.
USED_OTHERWISE = {
    "jupyterlab": "the front end that `make lab` opens; it brings the kernel",
    "pyarrow": "pandas writes Parquet with it",
}
# Modules of extras whose distribution has another name, for where it is not installed.
ABSENT = {"mlflow": "mlflow-skinny"}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _imported(repository: Path) -> set[str]:
    found: set[str] = set()
    for path in (repository / "hcat_nb").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.add((node.module or "").partition(".")[0])
    return found - set(sys.stdlib_module_names) - {"hcat_nb"}


def _declared(repository: Path, *, extras: bool = False) -> set[str]:
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    texts = list(project["dependencies"])
    if extras:
        texts += [text for extra in project["optional-dependencies"].values() for text in extra]
    names = [re.match(r"[\w.-]+", text) for text in texts]
    return {_normal(name.group()) for name in names if name}


def test_every_import_is_a_declared_dependency(repository: Path) -> None:
    distributions = packages_distributions()
    missing = {
        module
        for module in _imported(repository)
        # what an extra brings may be absent here
        if not {_normal(name) for name in distributions.get(module, [ABSENT.get(module, module)])}
        & _declared(repository, extras=True)
    }
    assert not missing


def test_every_dependency_is_imported(repository: Path) -> None:
    distributions = packages_distributions()
    used = {
        _normal(name) for module in _imported(repository) for name in distributions.get(module, [])
    }
    assert _declared(repository) - used - USED_OTHERWISE.keys() == set()
