"""The public surface is closed: the stub, the runtime and this list say the same."""

from __future__ import annotations

import ast
import importlib
import tomllib
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import hcat_nb

PUBLIC = {
    *(
        "load",
        "perturb",
        "characterize",
        "characterize_dynamics",
        "evaluate",
        "evaluate_votes",
        "load_run",
        "record",
        "register",
        "resume",
        "results",
        "sweep",
        "watch",
    ),
    *("list_datasets", "list_hardness", "list_methods", "list_models"),
    *("check", "duplicates", "self_check", "LabelledDataset", "Run", "RunSpec"),
    *("audit", "Audit", "load_audit"),
}


def _stub() -> ast.Module:
    return ast.parse(Path(hcat_nb.__file__).with_suffix(".pyi").read_text())


def test_the_stub_exports_exactly_the_public_names() -> None:
    imports = [node for node in _stub().body if isinstance(node, ast.ImportFrom)]
    aliases = [alias for node in imports for alias in node.names]
    assert {alias.name for alias in aliases} == PUBLIC
    assert len(aliases) == len(PUBLIC)
    # `as` is what makes a name in a stub public for type checkers
    assert all(alias.asname == alias.name for alias in aliases)


def test_the_runtime_exports_what_the_stub_says() -> None:
    assert set(hcat_nb.__all__) == PUBLIC
    for node in _stub().body:
        if isinstance(node, ast.ImportFrom):
            home = importlib.import_module("." * node.level + (node.module or ""), "hcat_nb")
            for alias in node.names:
                assert getattr(hcat_nb, alias.name) is getattr(home, alias.name)


def test_what_the_stub_declares_beside_them_exists() -> None:
    functions = {node.name for node in _stub().body if isinstance(node, ast.FunctionDef)}
    variables = {
        node.target.id
        for node in _stub().body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    assert functions == {"load_ipython_extension"}
    assert variables == {"__version__", "last_run"}
    assert all(hasattr(hcat_nb, name) for name in functions | variables)


def test_no_subpackage_hides_a_public_name() -> None:
    folder = Path(hcat_nb.__file__).parent
    modules = {path.stem for path in folder.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert not PUBLIC & modules


def test_eager_import_finds_every_name(fresh_python: Callable[..., str]) -> None:
    listed = fresh_python("import hcat_nb; print(*hcat_nb.__all__)", EAGER_IMPORT="1")
    assert set(listed.split()) == PUBLIC


def test_the_version_is_the_same_everywhere(repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    assert hcat_nb.__version__ == project["version"] == version("hcat-nb")
    assert f"## {project['version']}" in (repository / "CHANGELOG.md").read_text()
